import type { Codec } from "./codec.ts"
import { readAll } from "./msgpack-reader.ts"
import {
  copyMessage,
  createWriter,
  cutMessage,
  SLAB_BYTES,
  type Writer,
  writeValue,
} from "./msgpack-writer.ts"
import { BODY_DEPTH_MAX, DEPTH_MAX } from "./value.ts"

/** MessagePack, for binary frames. Bytes need no base64, and numbers no digits. */
export const msgpack: Codec<Uint8Array> = {
  name: "msgpack",
  encode: (message) => encode(message, DEPTH_MAX, false),
  decode: readAll,
}

/**
 * A payload as a log keeps it: in memory of its own, so that one small payload does not keep its neighbours' too.
 * @throws HoldfastError `invalid_value` with the path of what cannot travel, or is nested deeper than 60 levels.
 */
export function encodeBody(value: unknown): Uint8Array {
  return encode(value, BODY_DEPTH_MAX, true)
}

/** @throws HoldfastError `invalid_message` when the bytes are not what `encodeBody` makes. */
export function decodeBody(body: Uint8Array): unknown {
  return readAll(body)
}

let spare: Writer | undefined

function encode(value: unknown, depthMax: number, ownMemory: boolean): Uint8Array {
  // a getter in the value may itself encode something: it then finds no spare writer, and makes its own
  const writer = spare ?? createWriter()
  spare = undefined
  writer.depthMax = depthMax
  try {
    writeValue(writer, value, 0)
    // a slab that grew for one message is several times as large as that
    const copies = ownMemory || writer.slab.length > SLAB_BYTES
    return copies ? copyMessage(writer) : cutMessage(writer)
  } finally {
    writer.at = writer.start
    if (writer.slab.length === SLAB_BYTES) spare = writer
  }
}
