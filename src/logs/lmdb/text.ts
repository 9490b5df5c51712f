/**
 * Text in records and keys: any JavaScript string, also one with lone surrogates, comes back as it was. UTF-8 could not
 * do that. One byte per character where all fit, two otherwise.
 */

/** The most bytes that `writeText` takes for this text. */
export function textBytesMax(text: string): number {
  return 4 + 2 * text.length
}

/** Up to this length a loop is faster than a call into the runtime. */
const SHORT_LENGTH_MAX = 32

/** Writes a length and the text at `position`. Returns where it ends. */
export function writeText(target: Buffer, position: number, text: string): number {
  const { length } = text
  const start = position + 4
  let wide = 0
  for (let index = 0; index < length; index++) wide |= text.charCodeAt(index)
  const isWide = wide > 0xff
  target.writeUInt32LE(length * 2 + (isWide ? 1 : 0), position)
  if (isWide || length > SHORT_LENGTH_MAX)
    return start + target.write(text, start, isWide ? "utf16le" : "latin1")
  for (let index = 0; index < length; index++) target[start + index] = text.charCodeAt(index)
  return start + length
}

/** What `writeText` wrote at `position`, and where it ends. */
export function readText(source: Buffer, position: number): { readonly text: string; readonly end: number } {
  const end = endOfText(source, position)
  const isWide = source.readUInt32LE(position) % 2 === 1
  return { text: source.toString(isWide ? "utf16le" : "latin1", position + 4, end), end }
}

/** Where the text at `position` ends. */
export function endOfText(source: Buffer, position: number): number {
  const header = source.readUInt32LE(position)
  const end = position + 4 + (header % 2 === 1 ? header - 1 : header / 2)
  if (end > source.length) throw new RangeError("a text reaches beyond its record")
  return end
}
