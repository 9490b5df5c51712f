import type { SignalMeta } from "../client/index.ts"
import type { ChannelDefinition, Received, Signals } from "../contract/index.ts"
import type { ChannelHandle } from "./channel-handle.ts"
import { useListener, useView } from "./use-view.ts"

export interface SignalOptions {
  /** How long a signal is shown after it came, in ms. Default 3,000. */
  readonly forMs?: number | undefined
}

type Name<D extends ChannelDefinition> = keyof Signals<D> & string

const FOR_MS = 3_000
const NOBODY: ReadonlyMap<string, never> = new Map<string, never>()

/** The latest signal of each other member, for some time after it came. What the server sends stands under `""`. */
export function useSignal<D extends ChannelDefinition, N extends Name<D>>(
  channel: ChannelHandle<D>,
  name: N,
  options?: SignalOptions,
): ReadonlyMap<string, Received<Signals<D>[N]>>
/** Tells each signal of others when it comes, without a render. The listener may be another one with each render. */
export function useSignal<D extends ChannelDefinition, N extends Name<D>>(
  channel: ChannelHandle<D>,
  name: N,
  listener: (data: Received<Signals<D>[N]>, meta: SignalMeta) => void,
): void
export function useSignal(
  channel: ChannelHandle<ChannelDefinition>,
  name: string,
  how: SignalOptions | ((data: never, meta: SignalMeta) => void) = {},
): unknown {
  const listener = typeof how === "function" ? how : undefined
  useListener<[data: unknown, meta: SignalMeta]>(
    channel,
    name,
    (channel, listener) => channel.onSignal(name, listener),
    listener as (data: unknown, meta: SignalMeta) => void,
  )
  const facet =
    typeof how === "function" ? undefined : { of: "signals" as const, name, forMs: how.forMs ?? FOR_MS }
  const latest = useView(channel, facet)
  return facet && (latest ?? NOBODY)
}
