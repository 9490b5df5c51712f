/** Throws when `condition` does not hold. The contract suites have their own assertions so that they fit any test runner. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message)
}

/** Throws unless both show the same: plain values, arrays, objects and bytes, compared by what is in them. */
export function assertEqual(actual: unknown, expected: unknown, what: string): void {
  const [seen, wanted] = [show(actual), show(expected)]
  if (seen !== wanted) throw new Error(`${what}: expected ${shorten(wanted)}, got ${shorten(seen)}`)
}

/** Throws unless the promise is rejected with this error code. */
export async function assertRejects(promise: Promise<unknown>, code: string, what: string): Promise<void> {
  let seen: unknown
  try {
    await promise
  } catch (error) {
    seen = (error as { readonly code?: unknown }).code ?? error
  }
  assertEqual(seen, code, `${what}: the error's code`)
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes(${value.length}):${hash(value)}`
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${members.map(([name, member]) => `${name}: ${show(member)}`).join(", ")}}`
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value)
}

/** FNV-1a: enough to tell bodies apart without printing them. */
function hash(bytes: Uint8Array): string {
  let value = 0x811c9dc5
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193) >>> 0
  return value.toString(16)
}

function shorten(text: string): string {
  return text.length > 600 ? `${text.slice(0, 300)} … ${text.slice(-300)}` : text
}
