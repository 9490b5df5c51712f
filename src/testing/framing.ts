import type { Wire } from "../client/transport.ts"
import type { Encoding } from "../hub/ports/link.ts"
import type { Codec } from "../protocol/codec.ts"
import { bytesOf, piecesOf } from "../protocol/pieces.ts"

const encodings = new Map<Codec, Encoding>()

/** The frames of a line in memory: four bytes of length, then the message. One encoding per codec, so frames are shared. */
export function framing(codec: Codec): Encoding {
  let encoding = encodings.get(codec)
  if (encoding === undefined) {
    const { name } = codec
    encoding = { name, codec: name, frame: (message) => frameOf(bytesOf(piecesOf(name, message))), join }
    encodings.set(codec, encoding)
  }
  return encoding
}

/** The messages that stand in `bytes`, as the codec takes them. */
export function split(codec: Codec, bytes: Uint8Array): Wire[] {
  const wires: Wire[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.byteLength; ) {
    const length = view.getUint32(at)
    const body = bytes.subarray(at + 4, at + 4 + length)
    wires.push(codec.name === "json" ? new TextDecoder().decode(body) : body)
    at += 4 + length
  }
  return wires
}

function frameOf(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(4 + body.byteLength)
  new DataView(frame.buffer).setUint32(0, body.byteLength)
  frame.set(body, 4)
  return frame
}

function join(frames: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(frames.reduce((bytes, frame) => bytes + frame.byteLength, 0))
  let at = 0
  for (const frame of frames) {
    joined.set(frame, at)
    at += frame.byteLength
  }
  return joined
}
