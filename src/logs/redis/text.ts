/** Begins a text that is not valid Unicode. UTF-8 has no such byte. */
const WIDE = 0xff
const LONE_SURROGATE = /\p{Surrogate}/u

/** Whether UTF-8 can say it. */
export function isValidText(text: string): boolean {
  return !LONE_SURROGATE.test(text)
}

/** A text as bytes, such that any JavaScript string comes back as it was: UTF-8, or UTF-16 for what UTF-8 cannot say. */
export function encodeText(text: string): Buffer {
  if (isValidText(text)) return Buffer.from(text, "utf8")
  return Buffer.concat([Buffer.of(WIDE), Buffer.from(text, "utf16le")])
}

export function decodeText(bytes: Buffer): string {
  return bytes[0] === WIDE ? bytes.toString("utf16le", 1) : bytes.toString("utf8")
}
