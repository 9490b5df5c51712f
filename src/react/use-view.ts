import { useCallback, useEffect, useInsertionEffect, useRef, useSyncExternalStore } from "react"
import type { AnyDefinition } from "../client/channel.ts"
import type { Channel } from "../client/index.ts"
import { BINDING, type Binding } from "./channel-handle.ts"
import type { Facet } from "./shared-channel.ts"

/** A handle of any channel. */
export interface BoundHandle {
  readonly [BINDING]: Binding
}

/**
 * What there is of a facet; undefined before a component shows it, on the server, and without a facet. With `select`,
 * what it makes of that: it renders only when that changes.
 */
export function useView(
  handle: BoundHandle,
  facet: Facet | undefined,
  select: (value: unknown) => unknown = (value) => value,
): unknown {
  const { hold, peek } = handle[BINDING]
  const key = facet && JSON.stringify(facet)
  const watch = useCallback(
    (listener: () => void) =>
      key === undefined ? () => {} : hold((shared) => shared.view(key).watch(listener)),
    [hold, key],
  )
  const read = () => select(key === undefined ? undefined : peek()?.peek(key)?.value)
  return useSyncExternalStore(watch, read, () => select(undefined))
}

/** Calls the listener of the last render, while `attach`, of which `key` is the text, has it attached to the channel. */
export function useListener<Told extends readonly unknown[]>(
  handle: BoundHandle,
  key: string,
  attach: (channel: Channel<AnyDefinition>, listener: (...told: Told) => void) => () => void,
  listener: ((...told: Told) => void) | undefined,
): void {
  const { hold } = handle[BINDING]
  const latest = useRef({ attach, listener })
  useInsertionEffect(() => {
    latest.current = { attach, listener }
  })
  const listens = listener !== undefined
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for what is attached
  useEffect(() => {
    if (!listens) return undefined
    const { attach } = latest.current
    return hold(({ channel }) => attach(channel, (...told) => latest.current.listener?.(...told)))
  }, [hold, key, listens])
}
