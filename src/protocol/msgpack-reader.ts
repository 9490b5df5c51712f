import { HoldfastError } from "./error.ts"
import { DEPTH_MAX } from "./value.ts"

/** What is read, and how far. `end` is where the input ends. */
interface Reader {
  readonly bytes: Uint8Array
  readonly end: number
  at: number
}

/** Up to this many bytes, a loop is faster than handing the bytes to TextDecoder. */
const SHORT_STRING_BYTES_MAX = 24

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const scratch = new DataView(new ArrayBuffer(8))

/**
 * Reads the one value that `bytes` are. What it returns shares no memory with `bytes`.
 * @throws HoldfastError `invalid_message`, saying at which byte, when they are not exactly one well-formed value.
 */
export function readAll(bytes: Uint8Array): unknown {
  const reader: Reader = { bytes, end: bytes.length, at: 0 }
  const value = readValue(reader, 0)
  if (reader.at < reader.end) throw malformed(reader.at, "the message should end here")
  return value
}

function readValue(reader: Reader, depth: number): unknown {
  const type = readUint(reader, 1)
  if (type < 0x80) return type
  if (type >= 0xe0) return type - 0x100
  if (type >= 0xa0 && type < 0xc0) return readString(reader, type & 0x1f)
  if (type < 0x90) return readMap(reader, type & 0x0f, depth)
  if (type < 0xa0) return readArray(reader, type & 0x0f, depth)
  switch (type) {
    case 0xc0:
      return null
    case 0xc2:
      return false
    case 0xc3:
      return true
    case 0xc4:
    case 0xc5:
    case 0xc6:
      return readBytes(reader, readUint(reader, 1 << (type - 0xc4)))
    case 0xca:
    case 0xcb:
      return readFloat(reader, type === 0xca ? 4 : 8)
    case 0xcc:
    case 0xcd:
    case 0xce:
      return readUint(reader, 1 << (type - 0xcc))
    case 0xcf:
      return readWide(reader, readUint(reader, 4))
    case 0xd0:
      return (readUint(reader, 1) << 24) >> 24
    case 0xd1:
      return (readUint(reader, 2) << 16) >> 16
    case 0xd2:
      return readUint(reader, 4) | 0
    case 0xd3:
      return readWide(reader, readUint(reader, 4) | 0)
    case 0xd9:
    case 0xda:
    case 0xdb:
      return readString(reader, readUint(reader, 1 << (type - 0xd9)))
    case 0xdc:
    case 0xdd:
      return readArray(reader, readUint(reader, 2 << (type - 0xdc)), depth)
    case 0xde:
    case 0xdf:
      return readMap(reader, readUint(reader, 2 << (type - 0xde)), depth)
  }
  throw malformed(reader.at - 1, `the type 0x${type.toString(16)} is not part of the protocol`)
}

/** Steps over `count` bytes, and says where they begin. */
function take(reader: Reader, count: number): number {
  const { at } = reader
  if (count > reader.end - at) throw malformed(at, `${count} more bytes were announced than there are`)
  reader.at = at + count
  return at
}

/** An unsigned number of 1, 2 or 4 bytes. */
function readUint(reader: Reader, size: number): number {
  const at = take(reader, size)
  const { bytes } = reader
  let value = 0
  for (let index = at; index < at + size; index++) value = value * 0x100 + (bytes[index] as number)
  return value
}

/** The rest of a 64-bit number whose upper half is `upper`. */
function readWide(reader: Reader, upper: number): number {
  const value = upper * 0x1_0000_0000 + readUint(reader, 4)
  if (!Number.isSafeInteger(value)) throw malformed(reader.at - 9, "the number is beyond 2^53")
  return value
}

function readFloat(reader: Reader, size: 4 | 8): number {
  const at = take(reader, size)
  for (let index = 0; index < size; index++) scratch.setUint8(index, reader.bytes[at + index] as number)
  const value = size === 4 ? scratch.getFloat32(0) : scratch.getFloat64(0)
  if (!Number.isFinite(value)) throw malformed(at - 1, `the number is ${value}`)
  // -0 becomes 0
  return value + 0
}

function readBytes(reader: Reader, count: number): Uint8Array {
  const at = take(reader, count)
  // not slice(), which for a Buffer shares the memory
  return new Uint8Array(reader.bytes.subarray(at, at + count))
}

function readString(reader: Reader, count: number): string {
  const at = take(reader, count)
  const { bytes } = reader
  if (count <= SHORT_STRING_BYTES_MAX) {
    let text = ""
    let index = at
    for (; index < reader.at; index++) {
      const byte = bytes[index] as number
      if (byte >= 0x80) break
      text += String.fromCharCode(byte)
    }
    if (index === reader.at) return text
  }
  try {
    return utf8.decode(bytes.subarray(at, reader.at))
  } catch {
    throw malformed(at, "the string is not UTF-8")
  }
}

function readArray(reader: Reader, count: number, depth: number): unknown[] {
  checkMembers(reader, count, depth)
  // not new Array(count): nested announcements could add up to far more than the input is long
  const items: unknown[] = []
  for (let index = 0; index < count; index++) items.push(readValue(reader, depth + 1))
  return items
}

function readMap(reader: Reader, count: number, depth: number): Record<string, unknown> {
  checkMembers(reader, count * 2, depth)
  const members: Record<string, unknown> = {}
  for (let index = 0; index < count; index++) {
    const key = readKey(reader)
    const value = readValue(reader, depth + 1)
    if (key === "__proto__") defineMember(members, key, value)
    else members[key] = value
  }
  return members
}

/** An assignment would set the object's prototype. */
function defineMember(members: object, key: string, value: unknown): void {
  Object.defineProperty(members, key, { value, enumerable: true, configurable: true, writable: true })
}

/** Each member takes one byte at least. */
function checkMembers(reader: Reader, count: number, depth: number): void {
  if (count > reader.end - reader.at)
    throw malformed(reader.at, "more members were announced than there can be")
  if (depth >= DEPTH_MAX) throw malformed(reader.at, `this is nested deeper than ${DEPTH_MAX} levels`)
}

/** Keys are few and come again and again: a cache saves making the same string of the same bytes. */
const KEY_CACHE_SIZE = 512
const keyCache: string[] = new Array(KEY_CACHE_SIZE).fill("")

function readKey(reader: Reader): string {
  const type = readUint(reader, 1)
  if (type >= 0xa0 && type < 0xc0) return readShortKey(reader, type & 0x1f)
  if (type < 0xd9 || type > 0xdb) throw malformed(reader.at - 1, "the key of a map is not a string")
  return readString(reader, readUint(reader, 1 << (type - 0xd9)))
}

function readShortKey(reader: Reader, count: number): string {
  const at = take(reader, count)
  const { bytes } = reader
  let hash = count
  for (let index = at; index < reader.at; index++) hash = (hash * 31 + (bytes[index] as number)) | 0
  const slot = hash & (KEY_CACHE_SIZE - 1)
  const cached = keyCache[slot] as string
  if (cached.length === count && isAt(cached, bytes, at)) return cached
  reader.at = at
  const key = readString(reader, count)
  // of a key that is not ASCII, bytes and units differ, so it would never be found
  if (key.length === count) keyCache[slot] = key
  return key
}

/** Whether the bytes from `at` on are the ASCII `text`. */
function isAt(text: string, bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[at + index]) return false
  }
  return true
}

function malformed(at: number, complaint: string): HoldfastError {
  return new HoldfastError("invalid_message", `MessagePack, byte ${at}: ${complaint}.`)
}
