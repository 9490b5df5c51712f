/**
 * Text in records and keys: any JavaScript string, also one with lone surrogates, comes back as it was. UTF-8 could not
 * do that. One byte per character where all fit, two otherwise.
 */

/** The most bytes that `writeText` takes for this text. */
export function textBytesMax(text: string): number {
  return 4 + 2 * text.length
}

/** Writes a length and the text at `position`. Returns where it ends. */
export function writeText(target: Buffer, position: number, text: string): number {
  const { length } = text
  let wide = 0
  for (let index = 0; index < length; index++) wide |= text.charCodeAt(index)
  const isWide = wide > 0xff
  target.writeUInt32LE(length * 2 + (isWide ? 1 : 0), position)
  return position + 4 + target.write(text, position + 4, isWide ? "utf16le" : "latin1")
}

/** What `writeText` wrote at `position`, and where it ends. */
export function readText(source: Buffer, position: number): { readonly text: string; readonly end: number } {
  const header = source.readUInt32LE(position)
  const [start, length] = [position + 4, Math.floor(header / 2)]
  const end = header % 2 === 1 ? start + 2 * length : start + length
  if (end > source.length) throw new RangeError("a text reaches beyond its record")
  return { text: source.toString(header % 2 === 1 ? "utf16le" : "latin1", start, end), end }
}
