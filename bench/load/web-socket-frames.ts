import { Buffer } from "node:buffer"

/** What a reader does with what it finds. */
export interface FrameHandlers {
  /** So many messages have come to their end in this chunk. Their contents were not looked at. */
  readonly handleMessages: (count: number) => void
  /** A frame that is too short to be one of the counted messages. `payload` is only valid during the call. */
  readonly handleShortFrame: (payload: Buffer, opcode: number) => void
}

export const opcodes = { text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const

const FIN = 0x80
const MASKED = 0x80

/**
 * Counts the messages in a server's stream of WebSocket frames by hopping from header to header, so that the load
 * generator stays much cheaper than the server it measures. Frames shorter than `countedBytesMin` are handed over whole.
 */
export class FrameReader {
  /** Until a subscriber is ready every frame is looked at: none is long enough to be only counted. */
  countedBytesMin = Number.POSITIVE_INFINITY
  readonly #handlers: FrameHandlers
  /** How much of a counted message is still to come. */
  #restBytes = 0
  /** The start of a frame whose header, or whose short payload, was cut by the end of a chunk. */
  #cut: Buffer | undefined

  constructor(handlers: FrameHandlers) {
    this.#handlers = handlers
  }

  /** @throws Error when a server masks, fragments or compresses: then hopping over headers would count wrong. */
  read(fresh: Buffer): void {
    const chunk = this.#cut === undefined ? fresh : Buffer.concat([this.#cut, fresh])
    this.#cut = undefined
    let counted = 0
    let at = 0
    if (this.#restBytes > 0) {
      at = Math.min(this.#restBytes, chunk.byteLength)
      this.#restBytes -= at
      if (this.#restBytes === 0) counted++
    }
    while (at < chunk.byteLength) {
      const header = readHeader(chunk, at)
      if (header === undefined) {
        this.#cut = Buffer.from(chunk.subarray(at))
        break
      }
      const { payloadAt, payloadBytes, opcode } = header
      const end = payloadAt + payloadBytes
      if (payloadBytes < this.countedBytesMin) {
        if (end > chunk.byteLength) {
          this.#cut = Buffer.from(chunk.subarray(at))
          break
        }
        this.#handlers.handleShortFrame(chunk.subarray(payloadAt, end), opcode)
      } else if (end > chunk.byteLength) {
        this.#restBytes = end - chunk.byteLength
      } else {
        counted++
      }
      at = end
    }
    if (counted > 0) this.#handlers.handleMessages(counted)
  }
}

interface Header {
  payloadAt: number
  payloadBytes: number
  opcode: number
}

/** One object for all headers: this runs once per delivered message. */
const header: Header = { payloadAt: 0, payloadBytes: 0, opcode: 0 }

/** RFC 6455 5.2. Undefined when the chunk ends inside of the header. */
function readHeader(chunk: Buffer, at: number): Header | undefined {
  if (at + 2 > chunk.byteLength) return undefined
  const first = chunk[at] as number
  const second = chunk[at + 1] as number
  if ((first & 0xf0) !== FIN || (second & MASKED) !== 0) {
    throw new Error(
      `a frame that cannot be counted: it begins with ${first.toString(16)} ${second.toString(16)}`,
    )
  }
  header.opcode = first & 0x0f
  header.payloadAt = at + 2
  header.payloadBytes = second
  if (second === 126) {
    if (at + 4 > chunk.byteLength) return undefined
    header.payloadAt = at + 4
    header.payloadBytes = chunk.readUInt16BE(at + 2)
  } else if (second === 127) {
    if (at + 10 > chunk.byteLength) return undefined
    header.payloadAt = at + 10
    header.payloadBytes = Number(chunk.readBigUInt64BE(at + 2))
  }
  return header
}

/** A client's frame. The mask is zero, which is a mask as good as any for a measurement, and leaves the bytes as they are. */
export function clientFrame(payload: string | Uint8Array, opcode?: number): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload) : payload
  const kind = opcode ?? (typeof payload === "string" ? opcodes.text : opcodes.binary)
  const length = bytes.byteLength
  if (length > 0xffff) throw new Error(`${length} bytes are more than a subscriber has to say`)
  const lengthBytes = length < 126 ? [MASKED | length] : [MASKED | 126, length >>> 8, length & 0xff]
  return Buffer.concat([Buffer.from([FIN | kind, ...lengthBytes, 0, 0, 0, 0]), bytes])
}
