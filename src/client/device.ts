/** What happens to the machine around a client. */
export interface DeviceEvents {
  /** The network may have changed, or time have passed that nobody counted: a line may be dead, or be had again. */
  readonly onChange: () => void
  /** The page is put away as it is, and perhaps shown again: then `onChange` comes. */
  readonly onFreeze: () => void
}

/** Returns how to stop. */
export type Device = (events: DeviceEvents) => () => void

/** How often to look at the wall clock, and how much more than that is no delay, but sleep, in ms. */
const LOOK_MS = 2_000
const SLEEP_MS = 5_000

/** The browser's page, or what there is of one in a worker and elsewhere. */
export const platformDevice: Device = ({ onChange, onFreeze }) => {
  const { document, navigator } = globalThis as Partial<typeof globalThis>
  const off = new AbortController()
  const listen = (
    target: unknown,
    types: readonly string[],
    listener: (event: Event & { readonly persisted?: boolean }) => void,
  ) => {
    for (const type of types) {
      ;(target as Partial<EventTarget> | undefined)?.addEventListener?.(type, listener, {
        signal: off.signal,
      })
    }
  }
  listen(globalThis, ["online", "offline"], onChange)
  listen((navigator as { readonly connection?: unknown } | undefined)?.connection, ["change"], onChange)
  listen(document, ["visibilitychange"], () => document?.hidden || onChange())
  // an open line keeps a page from being put away
  listen(globalThis, ["pagehide"], ({ persisted }) => persisted && onFreeze())
  listen(globalThis, ["pageshow"], ({ persisted }) => persisted && onChange())
  let lookedAt = Date.now()
  const timer = setInterval(() => {
    const now = Date.now()
    if (now - lookedAt > SLEEP_MS) onChange()
    lookedAt = now
  }, LOOK_MS)
  // in Node: nothing to stay alive for
  ;(timer as { readonly unref?: () => void }).unref?.()
  return () => {
    off.abort()
    clearInterval(timer)
  }
}
