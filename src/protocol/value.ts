import { HoldfastError } from "./error.ts"

/** How deep arrays and objects may be nested in a message, the message itself included. */
export const DEPTH_MAX = 64

/** How deep a payload may be nested that a log keeps: less, as the messages that carry it wrap it. */
export const BODY_DEPTH_MAX = 60

/** Where a walk over a value stands: `path[depth]` is the key at that depth. What lies deeper is of an earlier step. */
export type WalkPath = (string | number)[]

/**
 * Whether `value` is a plain object, that is, of no class. Looks at the prototype's prototype instead of comparing with
 * `Object.prototype`, so that objects of another realm (a frame, a test runner's sandbox) are plain too.
 */
export function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Whether `value` is a `Uint8Array` or, like Node's Buffer, a kind of it; of any realm. */
export function isBytes(value: object): value is Uint8Array {
  return ArrayBuffer.isView(value) && (value as Uint8Array)[Symbol.toStringTag] === "Uint8Array"
}

/** What to throw for a value that cannot travel. */
export function invalidValue(value: unknown, path: WalkPath, depth: number): HoldfastError {
  const where = path.slice(0, depth).join(".")
  const text = `${where || "The value"} cannot travel: it is ${kindOf(value)}.`
  return new HoldfastError("invalid_value", text, { path: where })
}

function kindOf(value: unknown): string {
  if (value === undefined || typeof value === "number") return `${value}`
  if (typeof value !== "object" || value === null) return `a ${typeof value}`
  // these travel, so what is wrong is how deep they lie
  if (Array.isArray(value) || isPlainObject(value)) return "nested too deep"
  return `a ${value.constructor?.name}`
}
