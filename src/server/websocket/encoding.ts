import { Buffer } from "node:buffer"
import type { Encoding } from "../../hub/ports/link.ts"
import type { Codec } from "../../protocol/codec.ts"
import { bytesOf, type Pieces, piecesOf } from "../../protocol/pieces.ts"
import { type Compression, deflate } from "./compression.ts"
import { frameHeaderBytes, type Opcode, opcodes, writeFrameHeader } from "./frame.ts"

const CLOSING_BRACE = 0x7d

const encodings = new Map<string, Encoding>()

/**
 * The encoding that writes messages with `codec`, compressed when `compression` is given. The same arguments give the
 * same value, in the whole process: the hub tells by identity which connections can share bytes.
 */
export function encodingOf({ name: codec }: Pick<Codec, "name">, compression?: Compression): Encoding {
  const name = compression === undefined ? codec : `${codec}+deflate`
  const key = compression === undefined ? name : `${name}/${compression.thresholdBytes}/${compression.level}`
  let encoding = encodings.get(key)
  if (encoding === undefined) {
    const opcode = codec === "json" ? opcodes.text : opcodes.binary
    const frame =
      compression === undefined
        ? (message: object) => framePieces(piecesOf(codec, message), opcode)
        : (message: object) => compressedFrame(bytesOf(piecesOf(codec, message)), opcode, compression)
    encoding = { name, codec, frame, join }
    encodings.set(key, encoding)
  }
  return encoding
}

/** A complete frame: text for a string, binary for bytes. */
export function plainFrame(payload: string | Uint8Array): Buffer {
  return framePieces([payload], typeof payload === "string" ? opcodes.text : opcodes.binary)
}

function framePieces(pieces: Pieces, opcode: Opcode): Buffer {
  let payloadBytes = 0
  for (const piece of pieces) {
    payloadBytes += typeof piece === "string" ? Buffer.byteLength(piece) : piece.byteLength
  }
  const headerBytes = frameHeaderBytes(payloadBytes)
  const frame = Buffer.allocUnsafe(headerBytes + payloadBytes)
  writeFrameHeader(frame, opcode, payloadBytes)
  let at = headerBytes
  for (const piece of pieces) {
    // the end of a message: a call into the buffer costs more than its one byte
    if (piece === "}") frame[at++] = CLOSING_BRACE
    else if (typeof piece === "string") at += frame.write(piece, at, "utf8")
    else {
      frame.set(piece, at)
      at += piece.byteLength
    }
  }
  return frame
}

function compressedFrame(bytes: Uint8Array, opcode: Opcode, compression: Compression): Buffer {
  if (bytes.byteLength < compression.thresholdBytes) return framePieces([bytes], opcode)
  const deflated = deflate(bytes, compression.level)
  // What is compressed already, as pictures are, only grows.
  if (deflated.byteLength >= bytes.byteLength) return framePieces([bytes], opcode)
  const headerBytes = frameHeaderBytes(deflated.byteLength)
  const frame = Buffer.allocUnsafe(headerBytes + deflated.byteLength)
  writeFrameHeader(frame, opcode, deflated.byteLength, true)
  frame.set(deflated, headerBytes)
  return frame
}

function join(frames: readonly Uint8Array[]): Uint8Array {
  const [only] = frames
  return frames.length === 1 && only !== undefined ? only : Buffer.concat(frames)
}
