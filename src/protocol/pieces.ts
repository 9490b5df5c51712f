import type { CodecName } from "./codec.ts"
import { EncodedValue } from "./encoded-value.ts"
import { json } from "./json.ts"
import { msgpack } from "./msgpack.ts"

/** What follows each other on the wire. A string stands for its UTF-8. */
export type Pieces = readonly (string | Uint8Array)[]

/** Where a message may hold what is encoded already. */
interface Message {
  readonly data?: unknown
  readonly entries?: readonly Message[]
  readonly loaded?: Message
}

/** A message as a codec writes it, around what is encoded already in its `data`, or in that of its entries. */
export function piecesOf(codec: CodecName, message: object): Pieces {
  if (codec === "msgpack") return [msgpack.encode(message)]
  const values: EncodedValue[] = []
  const text = json.encode(emptied(message, values))
  return values.length === 0 ? [text] : interleave(text.split(HOLE), values)
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

/** No string of a message can be mistaken for it, as each quote in one stands behind a backslash. */
const HOLE = '"data":null'
const HOLE_NAME = '"data":'

/** The message with `null` in place of each encoded value, which is added to `values`, in the order in which they are written. */
function emptied(message: Message, values: EncodedValue[]): Message {
  const { data, entries, loaded } = message
  if (data instanceof EncodedValue) {
    values.push(data)
    return { ...message, data: null }
  }
  if (entries === undefined) return message
  // members that are replaced keep their place
  return {
    ...message,
    entries: entries.map((entry) => emptied(entry, values)),
    ...(loaded !== undefined && { loaded: emptied(loaded, values) }),
  }
}

function interleave(texts: readonly string[], values: readonly EncodedValue[]): Pieces {
  if (texts.length !== values.length + 1)
    throw new TypeError("a message holds both values and encoded values")
  return texts.flatMap((text, index) => {
    const value = values[index]
    return value === undefined ? [text] : [text + HOLE_NAME, value.in("json")]
  })
}
