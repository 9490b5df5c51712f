import { inflateRawSync } from "node:zlib"
import { describe, expect, test } from "vitest"
import type { Codec } from "../../../src/protocol/codec.ts"
import { json } from "../../../src/protocol/json.ts"
import { msgpack } from "../../../src/protocol/msgpack.ts"
import { asksForSmallerWindow, defaultCompression } from "../../../src/server/websocket/compression.ts"
import { encodingOf } from "../../../src/server/websocket/encoding.ts"

const big = { type: "x", text: "holdfast ".repeat(500) }
const TAIL = Buffer.from([0, 0, 0xff, 0xff])

function payloadOf(frame: Uint8Array): Uint8Array {
  const length = frame[1]!
  return frame.subarray(length < 126 ? 2 : length === 126 ? 4 : 10)
}

describe("an encoding", () => {
  test("is one value per codec and compression, so that connections can be told to be alike", () => {
    expect(encodingOf(json)).toBe(encodingOf(json))
    expect(encodingOf(json)).not.toBe(encodingOf(msgpack))
    expect(encodingOf(json, defaultCompression)).not.toBe(encodingOf(json))
    expect(encodingOf(json, { ...defaultCompression })).toBe(encodingOf(json, defaultCompression))
    expect(encodingOf(json, { ...defaultCompression, level: 9 })).not.toBe(
      encodingOf(json, defaultCompression),
    )
  })

  test("makes a text frame of JSON", () => {
    const frame = encodingOf(json).frame({ type: "ping" })
    expect(Buffer.from(frame).toString("latin1")).toBe('\x81\x0f{"type":"ping"}')
  })

  test("counts a text's bytes, not its characters", () => {
    const frame = encodingOf(json).frame({ type: "é€😀" })
    expect(frame[1]).toBe(frame.byteLength - 2)
    expect(JSON.parse(Buffer.from(payloadOf(frame)).toString())).toEqual({ type: "é€😀" })
  })

  test("makes a binary frame of MessagePack", () => {
    const frame = encodingOf(msgpack).frame({ type: "ping" })
    expect(frame[0]).toBe(0x82)
    expect(msgpack.decode(payloadOf(frame))).toEqual({ type: "ping" })
  })

  test("joins frames, and leaves one alone as it is", () => {
    const { frame, join } = encodingOf(json)
    const [a, b] = [frame({ a: 1 }), frame({ b: 2 })]
    expect(join([a])).toBe(a)
    expect(Buffer.from(join([a, b]))).toEqual(Buffer.concat([a, b]))
  })
})

describe("a compressed encoding", () => {
  test.each([json as Codec, msgpack as Codec])(
    "deflates what is larger than the threshold ($name)",
    (codec) => {
      const frame = encodingOf(codec, defaultCompression).frame(big)
      expect(frame[0]! & 0x40).toBe(0x40)
      expect(frame.byteLength).toBeLessThan(200)
      const inflated = inflateRawSync(Buffer.concat([payloadOf(frame), TAIL]), { finishFlush: 2 })
      expect(codec.decode(codec.name === "json" ? inflated.toString() : inflated)).toEqual(big)
    },
  )

  test("leaves what is smaller as it is", () => {
    const message = { type: "ping" }
    expect(encodingOf(json, defaultCompression).frame(message)).toEqual(encodingOf(json).frame(message))
  })

  test("leaves what would grow as it is", () => {
    const noise = crypto.getRandomValues(new Uint8Array(4096))
    expect(encodingOf(msgpack, defaultCompression).frame({ noise })[0]! & 0x40).toBe(0)
  })
})

describe("a client that asks for a smaller window", () => {
  test.each([
    ["permessage-deflate", false],
    ["permessage-deflate; client_max_window_bits", false],
    ["permessage-deflate; server_max_window_bits=15", false],
    ["permessage-deflate; server_max_window_bits=10", true],
    ['permessage-deflate; client_max_window_bits; server_max_window_bits="9"', true],
    ["permessage-deflate; server_max_window_bits=10, permessage-deflate", false],
    ["x-other; server_max_window_bits=10", false],
  ])("%s: %s", (header, expected) => {
    expect(asksForSmallerWindow(header)).toBe(expected)
  })
})
