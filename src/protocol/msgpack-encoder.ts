import {
  copyMessage,
  createWriter,
  cutMessage,
  SLAB_BYTES,
  type Writer,
  writeValue,
} from "./msgpack-writer.ts"

/** One for a message, and one for what is encoded while that is written. */
const spares: Writer[] = []
const SPARES_MAX = 2

/**
 * @param depthMax deeper nesting is refused
 * @param ownMemory whether the bytes are kept: then a small value must not keep its neighbours' memory too
 * @throws HoldfastError `invalid_value` with the path of what cannot travel
 */
export function encodeMsgpack(value: unknown, depthMax: number, ownMemory: boolean): Uint8Array {
  // a getter in the value may itself encode something, with a writer of its own
  const writer = spares.pop() ?? createWriter()
  writer.depthMax = depthMax
  try {
    writeValue(writer, value, 0)
    // a slab that grew for one message is several times as large as that
    const copies = ownMemory || writer.slab.length > SLAB_BYTES
    return copies ? copyMessage(writer) : cutMessage(writer)
  } finally {
    writer.at = writer.start
    if (writer.slab.length === SLAB_BYTES && spares.length < SPARES_MAX) spares.push(writer)
  }
}
