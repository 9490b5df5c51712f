import type { CodecName } from "./codec.ts"
import { EncodedValue } from "./encoded-value.ts"
import { json } from "./json.ts"
import { msgpack } from "./msgpack.ts"

/** What follows each other on the wire. A string stands for its UTF-8. */
export type Pieces = readonly (string | Uint8Array)[]

/** A message as its codec writes it. It may hold encoded values: as its `data`, or in its `entries` and what is loaded with these. */
export function piecesOf(codec: CodecName, message: object): Pieces {
  if (codec === "msgpack") return [msgpack.encode(message)]
  const { data, entries } = message as { readonly data?: unknown; readonly entries?: unknown }
  const isAround = data instanceof EncodedValue || entries !== undefined
  return isAround ? jsonAround(message) : [json.encode(message)]
}

/** Pieces as one. */
export function bytesOf(pieces: Pieces): Uint8Array {
  const parts = pieces.map((piece) => (typeof piece === "string" ? encoder.encode(piece) : piece))
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

const encoder = new TextEncoder()

/** What `json` would write of the message with plain values. All else in it is the protocol's own, and needs no escape. */
function jsonAround(message: object): Pieces {
  const pieces: (string | Uint8Array)[] = []
  pieces.push(writeMembers("", message, pieces))
  return pieces
}

/** Writes behind `text`; returns what is behind the last encoded value. */
function writeMembers(text: string, members: object, pieces: (string | Uint8Array)[]): string {
  let written = text
  let separator = "{"
  for (const name of Object.keys(members)) {
    const value: unknown = members[name as keyof typeof members]
    written = writeValue(`${written}${separator}"${name}":`, value, pieces)
    separator = ","
  }
  return `${written}}`
}

function writeItems(text: string, items: readonly unknown[], pieces: (string | Uint8Array)[]): string {
  let written = `${text}[`
  for (const [index, item] of items.entries()) {
    written = writeValue(index === 0 ? written : `${written},`, item, pieces)
  }
  return `${written}]`
}

function writeValue(text: string, value: unknown, pieces: (string | Uint8Array)[]): string {
  if (typeof value === "number") return text + value
  if (typeof value !== "object") return text + JSON.stringify(value)
  if (value instanceof EncodedValue) {
    pieces.push(text, value.in("json"))
    return ""
  }
  return Array.isArray(value) ? writeItems(text, value, pieces) : writeMembers(text, value as object, pieces)
}
