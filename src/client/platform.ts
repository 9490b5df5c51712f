import type { Clock } from "./clock.ts"
import type { Entropy } from "./entropy.ts"
import type { WebSocketConstructor } from "./websocket.ts"

/** What the runtime around the client provides. The only file here that touches it. */

/** `setTimeout` takes a longer time for no time at all. */
const TIMER_MS_MAX = 0x7fffffff

export const platformClock: Clock = {
  monotonic: () => performance.timeOrigin + performance.now(),
  after: (ms, task) => {
    const timer = setTimeout(task, Math.min(ms, TIMER_MS_MAX))
    return () => clearTimeout(timer)
  },
}

export const platformEntropy: Entropy = {
  random: () => Math.random(),
  // getRandomValues, for randomUUID is missing on pages that came by plain http
  uniqueId: () => crypto.getRandomValues(new Uint32Array(4)).join("-"),
}

/** Makes an error that nobody handles as loud as any other, without disturbing what runs now. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

/** Shows an error that nothing else shows. */
export function report(error: unknown): void {
  console.error(error)
}

/** The page's address, against which a relative URL is resolved; undefined outside of browsers. */
export function pageUrl(): string | undefined {
  return globalThis.location?.href
}

/** Undefined in Node before 22. */
export function platformWebSocket(): WebSocketConstructor | undefined {
  return (globalThis as { readonly WebSocket?: WebSocketConstructor }).WebSocket
}

/** What the browser keeps for this origin under a name; given a value, keeps that. */
export function kept(name: string, value?: string): string | null | undefined {
  try {
    // Node has a localStorage that warns
    if (!globalThis.document) return undefined
    if (value) localStorage.setItem(name, value)
    return localStorage.getItem(name)
  } catch {
    // the user wants nothing to be kept
    return undefined
  }
}
