import { useEffect, useInsertionEffect, useRef } from "react"
import type { ChannelDefinition, Payload, Presence, Received, Sent } from "../contract/index.ts"
import { BINDING, type ChannelHandle } from "./channel-handle.ts"
import { useView } from "./use-view.ts"

const NOBODY: ReadonlyMap<string, never> = new Map<string, never>()

/**
 * Who is in the channel, by member. With `data`, this client is too, for as long as the component is mounted; other data
 * replaces it, and undefined leaves. Data is compared by its JSON, so it may be written in place.
 */
export function usePresence<D extends ChannelDefinition & { readonly presence: Payload }>(
  channel: ChannelHandle<D>,
  data?: Sent<Presence<D>>,
): ReadonlyMap<string, Received<Presence<D>>>
export function usePresence(channel: ChannelHandle<ChannelDefinition>, data?: unknown): unknown {
  const { hold } = channel[BINDING]
  const latest = useRef(data)
  useInsertionEffect(() => {
    latest.current = data
  })
  const text = data === undefined ? undefined : JSON.stringify(data)
  useEffect(() => {
    if (text === undefined) return undefined
    return hold((shared) => shared.enter(latest.current, text))
  }, [hold, text])
  return useView(channel, { of: "members" }) ?? NOBODY
}
