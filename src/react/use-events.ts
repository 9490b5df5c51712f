import type { ChannelEvent } from "../client/index.ts"
import type { ChannelDefinition, Events } from "../contract/index.ts"
import type { ChannelHandle } from "./channel-handle.ts"
import type { ListedEvent } from "./event-list.ts"
import { useListener, useView } from "./use-view.ts"

export interface EventsOptions {
  /** How many of the last events the list holds. Default 100. */
  readonly last?: number | undefined
}

type Name<D extends ChannelDefinition> = keyof Events<D> & string

const LAST = 100
const NONE: readonly never[] = []

/**
 * The last events of a name, or of several, in their order. The list begins with the first component that shows it, so how
 * much of the past it has is said by the channel's `history`; it outlives its components for as long as the channel does.
 */
export function useEvents<D extends ChannelDefinition, N extends Name<D>>(
  channel: ChannelHandle<D>,
  name: N | readonly N[],
  options?: EventsOptions,
): readonly ListedEvent<ChannelEvent<D, N>>[]
/** Tells each event when it comes, without a render. The listener may be another one with each render. */
export function useEvents<D extends ChannelDefinition, N extends Name<D>>(
  channel: ChannelHandle<D>,
  name: N | readonly N[],
  listener: (event: ChannelEvent<D, N>) => void,
): void
export function useEvents(
  channel: ChannelHandle<ChannelDefinition>,
  name: string | readonly string[],
  how: EventsOptions | ((event: never) => void) = {},
): unknown {
  const names = typeof name === "string" ? [name] : name
  const listener = typeof how === "function" ? how : undefined
  useListener<[event: unknown]>(
    channel,
    JSON.stringify(names),
    (channel, listener) => {
      const offs = names.map((name) => channel.on(name, (data, meta) => listener({ name, data, ...meta })))
      return () => {
        for (const off of offs) off()
      }
    },
    listener as (event: unknown) => void,
  )
  const facet =
    typeof how === "function" ? undefined : { of: "events" as const, names, last: how.last ?? LAST }
  const list = useView(channel, facet)
  return facet && (list ?? NONE)
}
