import { describe, expect, test } from "vitest"
import { decodeBody, encodeBody, payloadBytes, payloadIn } from "../../src/protocol/body.ts"
import { json } from "../../src/protocol/json.ts"
import { msgpack } from "../../src/protocol/msgpack.ts"
import { seeded } from "../../src/testing/seeded.ts"
import { randomValue } from "./random-value.ts"

const refusal = expect.objectContaining({ name: "HoldfastError", code: "invalid_message" })
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** `levels` objects around each other. */
function nested(levels: number): object {
  return levels === 1 ? {} : { a: nested(levels - 1) }
}

describe("a body", () => {
  const value = { text: "héllo", bytes: new Uint8Array([1, 2]), $: [{ $a: null }] }

  test("in JSON is a byte 0xC1, and then what the wire has", () => {
    const body = encodeBody(value, "json")
    expect(body[0]).toBe(0xc1)
    expect(text(body.subarray(1))).toBe(json.encode(value))
    expect(decodeBody(body)).toStrictEqual(value)
  })

  test("in MessagePack is what the codec writes", () => {
    const body = encodeBody(value, "msgpack")
    expect(body).toEqual(new Uint8Array(msgpack.encode(value)))
    expect(decodeBody(body)).toStrictEqual(value)
  })

  test("is JSON unless it holds bytes, where no codec was asked for", () => {
    expect(encodeBody({ a: [1] })).toEqual(encodeBody({ a: [1] }, "json"))
    expect(encodeBody(value)).toEqual(encodeBody(value, "msgpack"))
  })

  test.each(["json", "msgpack"] as const)("in %s has memory of its own, short or long", (codec) => {
    for (const length of [1, 100, 10_000, 100_000]) {
      const body = encodeBody("é".repeat(length), codec)
      expect(body.buffer.byteLength).toBe(body.length)
      expect(decodeBody(body)).toBe("é".repeat(length))
    }
  })

  test.each(["json", "msgpack"] as const)("in %s says how long its payload is", (codec) => {
    const bytes = codec === "json" ? new TextEncoder().encode(json.encode(value)) : msgpack.encode(value)
    expect(payloadBytes(encodeBody(value, codec))).toBe(bytes.length)
  })

  test.each(["json", "msgpack", undefined] as const)("in %s takes 60 levels and refuses 61", (codec) => {
    const body = encodeBody(nested(60), codec)
    const entries = [{ data: payloadIn(body) }]
    expect(() => msgpack.encode({ type: "snapshot", entries })).not.toThrow()
    expect(() => encodeBody(nested(61), codec)).toThrow(expect.objectContaining({ code: "invalid_value" }))
  })

  test("says the path of what cannot travel, in either codec", () => {
    for (const codec of ["json", "msgpack", undefined] as const) {
      const refused = expect.objectContaining({ code: "invalid_value", path: "a.0" })
      expect(() => encodeBody({ a: [new Date()], b: new Uint8Array(1) }, codec)).toThrow(refused)
    }
  })

  test("is refused when it is none", () => {
    expect(() => decodeBody(new Uint8Array())).toThrow(refusal)
    expect(() => decodeBody(new Uint8Array([0xc1, 0x7b]))).toThrow(refusal)
  })

  test("is for both codecs what the value is, whichever it was published in", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const value = randomValue(seeded(seed))
      for (const codec of ["json", "msgpack"] as const) {
        const payload = payloadIn(encodeBody(value, codec))
        // compared in MessagePack, in which a lone surrogate is U+FFFD
        expect(msgpack.encode(json.decode(text(payload.in("json"))))).toEqual(msgpack.encode(value))
        expect(payload.in("msgpack")).toEqual(new Uint8Array(msgpack.encode(value)))
      }
    }
  })
})
