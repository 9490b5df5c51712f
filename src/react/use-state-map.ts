import type { ChannelDefinition, Received, States } from "../contract/index.ts"
import type { ChannelHandle } from "./channel-handle.ts"
import { useView } from "./use-view.ts"

type Name<D extends ChannelDefinition> = keyof States<D> & string

const EMPTY: ReadonlyMap<string, never> = new Map<string, never>()

/** All keys of a state and their values: another map whenever one of them changes. */
export function useStateMap<D extends ChannelDefinition, N extends Name<D>>(
  channel: ChannelHandle<D>,
  name: N,
): ReadonlyMap<string, Received<States<D>[N]>>
/** The value of one key; undefined when there is none. Renders only when that one changes. */
export function useStateMap<D extends ChannelDefinition, N extends Name<D>>(
  channel: ChannelHandle<D>,
  name: N,
  key: string,
): Received<States<D>[N]> | undefined
export function useStateMap(channel: ChannelHandle<ChannelDefinition>, name: string, key?: string): unknown {
  const select = (values: unknown) =>
    key === undefined ? (values ?? EMPTY) : (values as typeof EMPTY | undefined)?.get(key)
  return useView(channel, { of: "state", name }, select)
}
