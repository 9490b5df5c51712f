import { describe, expect, test } from "vitest"
import { msgpack } from "../../src/protocol/msgpack.ts"
import { fromHex, toHex } from "./vectors.ts"

const refusal = expect.objectContaining({ name: "HoldfastError", code: "invalid_message" })
const repeat = (hex: string, count: number) => fromHex(hex.repeat(count))

describe("the MessagePack decoder", () => {
  test("says at which byte the input is wrong", () => {
    expect(() => msgpack.decode(fromHex("82a161c0a162c1"))).toThrow(
      "byte 6: the type 0xc1 is not part of the protocol",
    )
    expect(() => msgpack.decode(fromHex("93c0c0"))).toThrow(
      "byte 1: more members were announced than there can be",
    )
    expect(() => msgpack.decode(fromHex("c0c0"))).toThrow("byte 1: the message should end here")
    expect(() => msgpack.decode(fromHex("cb7ff8000000000000"))).toThrow("byte 0: the number is NaN")
    expect(() => msgpack.decode(fromHex("cf0020000000000000"))).toThrow("byte 0: the number is beyond 2^53")
  })

  test.each([
    ["arrays", "91"],
    ["objects", "81a161"],
    ["arrays that announce all there is", "dc0400"],
  ])("refuses %s that are nested without an end", (_what, hex) => {
    expect(() => msgpack.decode(repeat(hex, 100_000))).toThrow(refusal)
  })

  test("allocates nothing for what is only announced", () => {
    // each level announces about as many members as there are bytes left: 64 arrays of a million are half a gigabyte
    const million = 1_000_000
    const bytes = new Uint8Array(million).fill(0xc0)
    for (let level = 0; level < 60; level++) {
      const announced = million - (level + 1) * 5
      bytes.set([0xdd, announced >> 24, announced >> 16, announced >> 8, announced], level * 5)
    }
    const before = process.memoryUsage()
    expect(() => msgpack.decode(bytes)).toThrow(refusal)
    const after = process.memoryUsage()
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(100 * 2 ** 20)
  })

  test("shares no memory with its input", () => {
    const input = Buffer.from(msgpack.encode({ b: new Uint8Array([1, 2, 3]), s: "text" }))
    const decoded = msgpack.decode(input)
    input.fill(0xff)
    expect(decoded).toStrictEqual({ b: new Uint8Array([1, 2, 3]), s: "text" })
    expect((decoded as { b: Uint8Array }).b.buffer.byteLength).toBe(3)
  })

  test("reads from the middle of a larger buffer", () => {
    const pool = Buffer.alloc(100, 0xc1)
    const message = msgpack.encode({ a: [1.5, "é", new Uint8Array([9])] })
    pool.set(message, 37)
    expect(msgpack.decode(pool.subarray(37, 37 + message.length))).toStrictEqual({
      a: [1.5, "é", new Uint8Array([9])],
    })
  })

  test("keeps keys apart that its cache holds at the same place", () => {
    const keys = Array.from({ length: 5_000 }, (_, index) => `key${index}`)
    for (const round of [1, 2]) {
      for (const key of keys)
        expect(msgpack.decode(msgpack.encode({ [key]: round }))).toEqual({ [key]: round })
    }
  })

  test("keeps keys apart that have as many characters as others have bytes", () => {
    for (const key of ["é", "ab", "éé", "abcd", "\u0000", ""]) {
      expect(Object.keys(msgpack.decode(msgpack.encode({ [key]: 1 })) as object)).toEqual([key])
    }
  })
})

describe("the MessagePack encoder", () => {
  test("never changes a message that it has given out", () => {
    const messages = Array.from({ length: 2_000 }, (_, index) => ({ index, text: "x".repeat(index % 200) }))
    const encoded = messages.map((message) => msgpack.encode(message))
    expect(() => msgpack.encode({ a: "y".repeat(5_000), b: 1n })).toThrow()
    msgpack.encode({ large: "z".repeat(100_000) })
    expect(encoded.map((bytes) => msgpack.decode(bytes))).toEqual(messages)
  })

  test("gives a large message memory of its own size, not of the buffer it grew in", () => {
    expect(msgpack.encode("x".repeat(50_000)).buffer.byteLength).toBe(50_003)
    expect(msgpack.encode("small").buffer.byteLength).toBeLessThanOrEqual(8 * 1024)
  })

  test("writes a lone surrogate as U+FFFD, in short text and in long", () => {
    expect(toHex(msgpack.encode("a\ud800b"))).toBe("a561efbfbd62")
    expect(msgpack.decode(msgpack.encode(`${"a".repeat(100)}\udfff`))).toBe(`${"a".repeat(100)}\ufffd`)
  })
})
