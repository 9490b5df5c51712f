import type { Codec } from "./codec.ts"
import { HoldfastError } from "./error.ts"
import { DEPTH_MAX, invalidValue, isBytes, isPlainObject, type WalkPath } from "./value.ts"

/**
 * JSON, for text frames. Bytes are written as `{"$bytes":"<base64>"}`; an object whose only key starts with `$` is
 * written as `{"$object":{...}}`, so that no payload can be mistaken for bytes.
 */
export const json: Codec<string> = {
  name: "json",
  encode: (message) => jsonText(message, DEPTH_MAX),
  decode: (text) => {
    try {
      return unpack(JSON.parse(text), 0)
    } catch {
      // what JSON.parse and atob throw quotes the input, and differs from engine to engine
      throw new HoldfastError("invalid_message", "The text is not well-formed.")
    }
  },
}

type OfBytes = (bytes: Uint8Array) => unknown

/**
 * @param depthMax deeper nesting is refused
 * @param ofBytes what stands for bytes
 * @throws HoldfastError `invalid_value` with the path of what cannot travel
 */
export function jsonText(value: unknown, depthMax: number, ofBytes: OfBytes = inBase64): string {
  return JSON.stringify(pack(value, 0, depthMax, ofBytes))
}

type Members = Record<string, unknown>

const path: WalkPath = []

/** From a value to what JSON.stringify may be given. Copies only what contains bytes or needs the escape. */
function pack(value: unknown, depth: number, depthMax: number, ofBytes: OfBytes): unknown {
  if (isLeaf(value)) return value
  if (typeof value === "object" && depth < depthMax) {
    if (Array.isArray(value)) return packArray(value, depth, depthMax, ofBytes)
    if (isPlainObject(value)) return packObject(value, depth, depthMax, ofBytes)
    if (isBytes(value)) return ofBytes(value)
  }
  throw invalidValue(value, path, depth)
}

function packArray(items: unknown[], depth: number, depthMax: number, ofBytes: OfBytes): unknown[] {
  let packed = items
  // by index, which meets the holes too
  for (let index = 0; index < items.length; index++) {
    const item = items[index]
    if (isLeaf(item)) continue
    path[depth] = index
    const changed = pack(item, depth + 1, depthMax, ofBytes)
    if (changed === item) continue
    if (packed === items) packed = [...items]
    packed[index] = changed
  }
  return packed
}

function packObject(members: Members, depth: number, depthMax: number, ofBytes: OfBytes): Members {
  let packed = members
  let count = 0
  let last = ""
  for (const key of Object.keys(members)) {
    const member = members[key]
    // JSON.stringify leaves it out
    if (member === undefined) continue
    count++
    last = key
    if (isLeaf(member)) continue
    path[depth] = key
    const changed = pack(member, depth + 1, depthMax, ofBytes)
    if (changed === member) continue
    if (packed === members) packed = { ...members }
    packed[key] = changed
  }
  return count === 1 && last[0] === "$" ? { $object: packed } : packed
}

/** From what JSON.parse made to the value, in place. Throws, whatever, when there is none. */
function unpack(value: unknown, depth: number): unknown {
  if (isLeaf(value)) return value
  // 1e999 is well-formed JSON, and yet no finite number
  if (typeof value !== "object" || depth >= DEPTH_MAX) throw value
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      if (!isLeaf(value[index])) value[index] = unpack(value[index], depth + 1)
    }
    return value
  }
  let members = value as Members
  let keys = Object.keys(members)
  if (keys.length === 1 && keys[0]?.[0] === "$") {
    const { $bytes, $object } = members
    if (typeof $bytes === "string") return fromBase64($bytes)
    // null and undefined make this throw, which is as well
    if (!isPlainObject($object as object)) throw value
    members = $object as Members
    keys = Object.keys(members)
  }
  for (const key of keys) {
    // "__proto__" is an own member of what JSON.parse makes, so this sets no prototype
    if (!isLeaf(members[key])) members[key] = unpack(members[key], depth + 1)
  }
  return members
}

function isLeaf(value: unknown): value is null | string | boolean | number {
  return value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)
}

/** As many arguments as a call may have everywhere. */
const CHUNK_BYTES = 8192

function inBase64(bytes: Uint8Array): object {
  let binary = ""
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    // not by spreading, which takes the bytes one by one
    binary += String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK_BYTES) as never)
  }
  return { $bytes: btoa(binary) }
}

function fromBase64(text: string): Uint8Array {
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let index = 0; index < bytes.length; index++) bytes[index] = binary.charCodeAt(index)
  return bytes
}
