import { Packr } from "msgpackr"
import { describe, expect, test } from "vitest"
import { json } from "../../src/protocol/json.ts"
import { msgpack } from "../../src/protocol/msgpack.ts"
import { fromHex, toHex, untag, vectors } from "./vectors.ts"

const refusal = expect.objectContaining({ name: "HoldfastError", code: "invalid_message" })

describe.each(vectors.exact)("$name", ({ value, ...expected }) => {
  test("is written as the vector says", () => {
    expect(json.encode(untag(value))).toBe(expected.json)
    expect(toHex(msgpack.encode(untag(value)))).toBe(expected.msgpack)
  })

  test("is read back", () => {
    expect(json.decode(expected.json)).toStrictEqual(untag(value))
    expect(msgpack.decode(fromHex(expected.msgpack))).toStrictEqual(untag(value))
  })
})

describe("a decoder takes", () => {
  test.each(vectors.accepted)("$name", ({ value, ...wire }) => {
    const decoded = "json" in wire ? json.decode(wire.json) : msgpack.decode(fromHex(wire.msgpack))
    expect(decoded).toStrictEqual(untag(value))
  })
})

describe("a decoder refuses", () => {
  test.each(vectors.refused)("$name", (wire) => {
    const decode = () => ("json" in wire ? json.decode(wire.json) : msgpack.decode(fromHex(wire.msgpack)))
    expect(decode).toThrow(refusal)
  })
})

describe("an independent MessagePack library", () => {
  const library = new Packr({ useRecords: false, variableMapSize: true })
  // it renames this key, to be safe from setting a prototype
  const shared = vectors.exact.filter(({ name }) => name !== "the key __proto__")

  test.each(shared)("reads and writes $name alike", ({ value, msgpack: hex }) => {
    expect(plain(library.unpack(Buffer.from(fromHex(hex))))).toEqual(untag(value))
    expect(toHex(library.pack(untag(value)))).toBe(hex)
  })

  /** It answers with Buffers, which count as another type of object. */
  function plain(value: unknown): unknown {
    if (value instanceof Uint8Array) return new Uint8Array(value)
    if (Array.isArray(value)) return value.map(plain)
    if (typeof value !== "object" || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
  }
})
