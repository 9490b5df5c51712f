import { EncodedValue } from "./encoded-value.ts"
import { invalidValue, isBytes, isPlainObject, type WalkPath } from "./value.ts"

/**
 * Where values are written to: a slab, from which one message after the other is cut. What was cut is never written to
 * again, so messages need no copy and no memory of their own.
 */
export interface Writer {
  slab: Uint8Array
  view: DataView
  /** Where the message begins, and how far it has come. */
  start: number
  at: number
  /** Deeper nesting is refused. */
  depthMax: number
  readonly path: WalkPath
}

/** A slab's usual size. A piece that is kept keeps its whole slab, so this is no larger than it has to be. */
export const SLAB_BYTES = 8 * 1024

/** Up to this many characters, a loop is faster than TextEncoder. */
const SHORT_STRING_LENGTH_MAX = 32
const UTF8_BYTES_PER_UNIT_MAX = 3

const NIL = 0xc0
const FALSE = 0xc2
const TRUE = 0xc3

const utf8 = new TextEncoder()

export function createWriter(): Writer {
  const slab = new Uint8Array(SLAB_BYTES)
  return { slab, view: new DataView(slab.buffer), start: 0, at: 0, depthMax: 0, path: [] }
}

/** The message as a piece of the slab; the next one begins behind it. */
export function cutMessage(writer: Writer): Uint8Array {
  const message = writer.slab.subarray(writer.start, writer.at)
  writer.start = writer.at
  return message
}

/** The message in memory of its own. */
export function copyMessage(writer: Writer): Uint8Array {
  return writer.slab.slice(writer.start, writer.at)
}

/**
 * Writes one value.
 * @throws HoldfastError `invalid_value` with the path of what cannot travel.
 */
export function writeValue(writer: Writer, value: unknown, depth: number): void {
  if (typeof value === "string") writeString(writer, value)
  else if (Number.isFinite(value)) writeNumber(writer, value as number)
  else if (value === null) writeByte(writer, NIL)
  else if (typeof value === "boolean") writeByte(writer, value ? TRUE : FALSE)
  else if (typeof value !== "object" || depth >= writer.depthMax)
    throw invalidValue(value, writer.path, depth)
  else if (Array.isArray(value)) writeArray(writer, value, depth)
  else if (isPlainObject(value)) writeMap(writer, value, depth)
  else if (isBytes(value)) writeBytes(writer, value)
  else if (value instanceof EncodedValue) writeRaw(writer, value.in("msgpack"))
  else throw invalidValue(value, writer.path, depth)
}

function writeByte(writer: Writer, byte: number): void {
  reserve(writer, 1)
  writer.slab[writer.at++] = byte
}

function writeArray(writer: Writer, items: readonly unknown[], depth: number): void {
  writeLength(writer, items.length, 0x90, 0xdc)
  // by index, which meets the holes too
  for (let index = 0; index < items.length; index++) {
    writer.path[depth] = index
    writeValue(writer, items[index], depth + 1)
  }
}

function writeMap(writer: Writer, members: Record<string, unknown>, depth: number): void {
  const keys = definedKeys(members)
  writeLength(writer, keys.length, 0x80, 0xde)
  for (const key of keys) {
    writer.path[depth] = key
    writeString(writer, key)
    writeValue(writer, members[key], depth + 1)
  }
}

function definedKeys(members: Record<string, unknown>): string[] {
  const keys = Object.keys(members)
  for (const key of keys) {
    if (members[key] === undefined) return keys.filter((name) => members[name] !== undefined)
  }
  return keys
}

/** The header of an array or a map: up to 15 in the byte itself, beyond in 16 or 32 bits. */
function writeLength(writer: Writer, length: number, fix: number, wide: number): void {
  reserve(writer, 5)
  if (length < 16) writer.slab[writer.at++] = fix | length
  else if (length < 0x10000) write16(writer, wide, length)
  else write32(writer, wide + 1, length)
}

/** Whole numbers that fit 32 bits in the shortest form, all others as float64: 64-bit forms are no shorter. */
function writeNumber(writer: Writer, value: number): void {
  reserve(writer, 9)
  // -0 fulfils this too, and so travels as 0
  if (value >>> 0 === value) {
    if (value < 0x80) writer.slab[writer.at++] = value
    else if (value < 0x100) write8(writer, 0xcc, value)
    else if (value < 0x10000) write16(writer, 0xcd, value)
    else write32(writer, 0xce, value)
  } else if (value >> 0 === value) {
    if (value >= -0x20) writer.slab[writer.at++] = value
    else if (value >= -0x80) write8(writer, 0xd0, value)
    else if (value >= -0x8000) write16(writer, 0xd1, value)
    else write32(writer, 0xd2, value)
  } else {
    writer.slab[writer.at] = 0xcb
    writer.view.setFloat64(writer.at + 1, value)
    writer.at += 9
  }
}

function writeString(writer: Writer, text: string): void {
  const { length } = text
  reserve(writer, 5 + length * UTF8_BYTES_PER_UNIT_MAX)
  // as long as the text is ASCII, it has as many bytes as units, so this is where its bytes begin
  const start = writer.at + stringHeaderBytes(length)
  if (length <= SHORT_STRING_LENGTH_MAX && putAscii(writer.slab, start, text)) {
    writeStringHeader(writer, length)
    writer.at = start + length
    return
  }
  // a lone surrogate becomes U+FFFD here
  const { written } = utf8.encodeInto(text, writer.slab.subarray(start))
  const shift = stringHeaderBytes(written) - stringHeaderBytes(length)
  if (shift > 0) writer.slab.copyWithin(start + shift, start, start + written)
  writeStringHeader(writer, written)
  writer.at = start + shift + written
}

/** Whether `text` was ASCII, and so was written. */
function putAscii(bytes: Uint8Array, start: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 0x80) return false
    bytes[start + index] = unit
  }
  return true
}

function stringHeaderBytes(bytes: number): number {
  return bytes < 0x20 ? 1 : bytes < 0x100 ? 2 : bytes < 0x10000 ? 3 : 5
}

function writeStringHeader(writer: Writer, bytes: number): void {
  if (bytes < 0x20) writer.slab[writer.at] = 0xa0 | bytes
  else if (bytes < 0x100) write8(writer, 0xd9, bytes)
  else if (bytes < 0x10000) write16(writer, 0xda, bytes)
  else write32(writer, 0xdb, bytes)
}

function writeBytes(writer: Writer, value: Uint8Array): void {
  const { length } = value
  reserve(writer, 5)
  if (length < 0x100) write8(writer, 0xc4, length)
  else if (length < 0x10000) write16(writer, 0xc5, length)
  else write32(writer, 0xc6, length)
  writeRaw(writer, value)
}

function writeRaw(writer: Writer, bytes: Uint8Array): void {
  reserve(writer, bytes.length)
  writer.slab.set(bytes, writer.at)
  writer.at += bytes.length
}

// --- the callers of these have reserved the room -------------------------------------------------------------------

function write8(writer: Writer, type: number, value: number): void {
  const { slab, at } = writer
  slab[at] = type
  slab[at + 1] = value
  writer.at = at + 2
}

function write16(writer: Writer, type: number, value: number): void {
  const { slab, at } = writer
  slab[at] = type
  slab[at + 1] = value >> 8
  slab[at + 2] = value
  writer.at = at + 3
}

function write32(writer: Writer, type: number, value: number): void {
  const { slab, at } = writer
  slab[at] = type
  slab[at + 1] = value >> 24
  slab[at + 2] = value >> 16
  slab[at + 3] = value >> 8
  slab[at + 4] = value
  writer.at = at + 5
}

/** Makes room for `count` more bytes, if need be by going on in a new slab. */
function reserve(writer: Writer, count: number): void {
  if (writer.at + count <= writer.slab.length) return
  const written = writer.slab.subarray(writer.start, writer.at)
  const slab = new Uint8Array(Math.max(SLAB_BYTES, (written.length + count) * 2))
  slab.set(written)
  writer.slab = slab
  writer.view = new DataView(slab.buffer)
  writer.start = 0
  writer.at = written.length
}
