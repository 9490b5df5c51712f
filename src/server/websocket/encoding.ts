import { Buffer } from "node:buffer"
import type { Encoding } from "../../hub/ports/link.ts"
import type { Codec } from "../../protocol/codec.ts"
import { type Compression, deflate } from "./compression.ts"
import { frameHeaderBytes, opcodes, writeFrameHeader } from "./frame.ts"

const encodings = new Map<string, Encoding>()

/**
 * The encoding that writes messages with `codec`, compressed when `compression` is given. The same arguments give the
 * same value, in the whole process: the hub tells by identity which connections can share bytes.
 */
export function encodingOf(codec: Pick<Codec, "name" | "encode">, compression?: Compression): Encoding {
  const name = compression === undefined ? codec.name : `${codec.name}+deflate`
  const key = compression === undefined ? name : `${name}/${compression.thresholdBytes}/${compression.level}`
  let encoding = encodings.get(key)
  if (encoding === undefined) {
    const frame =
      compression === undefined
        ? (message: object) => plainFrame(codec.encode(message))
        : (message: object) => compressedFrame(codec.encode(message), compression)
    encoding = { name, frame, join }
    encodings.set(key, encoding)
  }
  return encoding
}

/** A complete frame: text for a string, binary for bytes. */
export function plainFrame(payload: string | Uint8Array): Buffer {
  const text = typeof payload === "string"
  const payloadBytes = text ? Buffer.byteLength(payload) : payload.byteLength
  const headerBytes = frameHeaderBytes(payloadBytes)
  const frame = Buffer.allocUnsafe(headerBytes + payloadBytes)
  writeFrameHeader(frame, text ? opcodes.text : opcodes.binary, payloadBytes)
  if (text) frame.write(payload, headerBytes, "utf8")
  else frame.set(payload, headerBytes)
  return frame
}

function compressedFrame(payload: string | Uint8Array, compression: Compression): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload) : payload
  if (bytes.byteLength < compression.thresholdBytes) return plainFrame(payload)
  const deflated = deflate(bytes, compression.level)
  // What is compressed already, as pictures are, only grows.
  if (deflated.byteLength >= bytes.byteLength) return plainFrame(payload)
  const headerBytes = frameHeaderBytes(deflated.byteLength)
  const frame = Buffer.allocUnsafe(headerBytes + deflated.byteLength)
  writeFrameHeader(
    frame,
    typeof payload === "string" ? opcodes.text : opcodes.binary,
    deflated.byteLength,
    true,
  )
  frame.set(deflated, headerBytes)
  return frame
}

function join(frames: readonly Uint8Array[]): Uint8Array {
  const [only] = frames
  return frames.length === 1 && only !== undefined ? only : Buffer.concat(frames)
}
