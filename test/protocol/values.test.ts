import { runInNewContext } from "node:vm"
import { describe, expect, test } from "vitest"
import type { Codec } from "../../src/protocol/codec.ts"
import { json } from "../../src/protocol/json.ts"
import { msgpack } from "../../src/protocol/msgpack.ts"

const codecs = [json, msgpack] as readonly Codec[]

class Point {
  readonly x = 1
}

/** `levels` arrays or objects around each other. */
function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = wrap(null)
  for (let level = 1; level < levels; level++) value = wrap(value)
  return value
}

const shapes: readonly (readonly [string, (inner: unknown) => unknown])[] = [
  ["arrays", (inner) => [inner]],
  ["objects", (inner) => ({ a: inner })],
  ["objects that need the escape", (inner) => ({ $a: inner })],
]

describe.each(codecs)("the codec $name", ({ encode, decode }) => {
  const errorOf = (value: unknown) => {
    try {
      encode(value)
    } catch (error) {
      return error
    }
    return undefined
  }

  const cycle: unknown[] = []
  cycle.push({ cycle })

  test.each([
    ["undefined", undefined, "undefined"],
    ["NaN", Number.NaN, "NaN"],
    ["Infinity", Number.POSITIVE_INFINITY, "Infinity"],
    ["-Infinity", Number.NEGATIVE_INFINITY, "-Infinity"],
    ["a bigint", 1n, "a bigint"],
    ["a function", () => 1, "a function"],
    ["a symbol", Symbol("s"), "a symbol"],
    ["a Date", new Date(0), "a Date"],
    ["a Map", new Map(), "a Map"],
    ["a Set", new Set(), "a Set"],
    ["an Error", new Error("x"), "a Error"],
    ["a class instance", new Point(), "a Point"],
    ["a boxed number", Object(1), "a Number"],
    ["other typed arrays", new Uint16Array(2), "a Uint16Array"],
    ["an ArrayBuffer", new ArrayBuffer(2), "a ArrayBuffer"],
    ["a DataView", new DataView(new ArrayBuffer(2)), "a DataView"],
    ["a Blob", new Blob(["x"]), "a Blob"],
    ["a promise", Promise.resolve(), "a Promise"],
    ["a cycle", cycle, "nested too deep"],
  ])("refuses %s, and says where it stands", (_what, value, sentence) => {
    const error = errorOf({ data: { items: [0, { ok: true, bad: [value] }] } })
    const path = expect.stringMatching(/^data\.items\.1\.bad\.0/)
    const message = expect.stringMatching(/^data\.items\.1\.bad\.0.* cannot travel: it is /)
    expect(error).toMatchObject({ name: "HoldfastError", code: "invalid_value", path, message })
    expect((error as Error).message).toContain(`it is ${sentence}.`)
  })

  test("refuses them at the top too", () => {
    expect(errorOf(undefined)).toMatchObject({ code: "invalid_value", path: "" })
    expect(errorOf(1n)).toMatchObject({ message: "The value cannot travel: it is a bigint." })
  })

  test("refuses undefined and holes in arrays, which would otherwise become something else", () => {
    const holes = [1, 2, 3]
    delete holes[1]
    expect(errorOf([1, undefined])).toMatchObject({ code: "invalid_value", path: "1" })
    expect(errorOf(holes)).toMatchObject({ code: "invalid_value", path: "1" })
  })

  test("says the right place again after it has refused something deep", () => {
    errorOf({ a: { b: { c: 1n } } })
    expect(errorOf({ x: 1, y: () => 1 })).toMatchObject({ path: "y" })
  })

  test("leaves out members that are undefined", () => {
    expect(decode(encode({ a: undefined, b: 1, c: { d: undefined } }))).toStrictEqual({ b: 1, c: {} })
    expect(decode(encode({ $bytes: "AA==", b: undefined }))).toStrictEqual({ $bytes: "AA==" })
    expect(decode(encode({ a: undefined, $x: 1, b: undefined }))).toStrictEqual({ $x: 1 })
  })

  test("leaves out symbol keys and what is inherited or not enumerable", () => {
    const value = Object.create(Object.create(null, { inherited: { value: 1, enumerable: true } }))
    Object.assign(value, { own: 1, [Symbol("s")]: 2 })
    Object.defineProperty(value, "hidden", { value: 3 })
    expect(decode(encode(value))).toStrictEqual({ own: 1 })
  })

  test("takes plain objects without a prototype and of another realm", () => {
    expect(decode(encode(Object.assign(Object.create(null), { a: 1 })))).toStrictEqual({ a: 1 })
    const foreign = runInNewContext("({ a: [1, { b: new Uint8Array([255, 0]) }] })")
    expect(decode(encode(foreign))).toStrictEqual({ a: [1, { b: new Uint8Array([255, 0]) }] })
    expect(errorOf(runInNewContext("new Date(0)"))).toMatchObject({ code: "invalid_value" })
  })

  test("does not ask toJSON", () => {
    expect(errorOf({ toJSON: () => 1 })).toMatchObject({ code: "invalid_value", path: "toJSON" })
  })

  test("writes -0 as 0", () => {
    expect(encode(-0)).toEqual(encode(0))
  })

  test("changes nothing of what it is given", () => {
    const value = Object.freeze({ a: Object.freeze([new Uint8Array([1]), Object.freeze({ $x: 1 })]) })
    expect(decode(encode(value))).toStrictEqual({ a: [new Uint8Array([1]), { $x: 1 }] })
  })

  test("lets the same object stand in several places", () => {
    const shared = { b: new Uint8Array([1]) }
    expect(decode(encode([shared, shared]))).toStrictEqual([shared, shared])
  })

  test("keeps __proto__ an ordinary key, in both directions", () => {
    const value = JSON.parse('{"__proto__":{"polluted":true},"b":1}')
    const decoded = decode(encode({ value, bytes: new Uint8Array(1) })) as { value: Record<string, unknown> }
    expect(Object.getPrototypeOf(decoded.value)).toBe(Object.prototype)
    expect(Object.keys(decoded.value)).toEqual(["__proto__", "b"])
    expect(decoded.value.polluted).toBeUndefined()
  })

  describe.each(shapes)("with %s", (_shape, wrap) => {
    test("takes 64 levels and refuses 65, when it writes and when it reads", () => {
      expect(decode(encode(nested(64, wrap)))).toEqual(nested(64, wrap))
      expect(errorOf(nested(65, wrap))).toMatchObject({ code: "invalid_value" })
    })
  })

  test("gives bytes that are Uint8Array, whatever kind of it they were", () => {
    const bytes = decode(encode({ b: Buffer.from("abc") })) as { b: Uint8Array }
    expect(bytes.b.constructor).toBe(Uint8Array)
    expect(bytes.b).toEqual(new Uint8Array([97, 98, 99]))
  })

  test("carries a view of a part of a buffer as that part", () => {
    const view = new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 3)
    expect(decode(encode(view))).toStrictEqual(new Uint8Array([1, 2]))
  })

  test.each([0x1f, 0x20, 0xff, 0x100, 0xffff, 0x10000])("carries %i of everything", (count) => {
    const ascii = "a".repeat(count)
    const wide = "é".repeat(count)
    const surrogates = "🎉".repeat(Math.ceil(count / 2))
    const bytes = new Uint8Array(count).map((_, index) => index)
    const list = Array.from({ length: count }, (_, index) => index % 300)
    const record = Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index]))
    expect(decode(encode(ascii))).toBe(ascii)
    expect(decode(encode(wide))).toBe(wide)
    expect(decode(encode(surrogates))).toBe(surrogates)
    expect(Buffer.compare(decode(encode(bytes)) as Uint8Array, bytes)).toBe(0)
    expect(JSON.stringify(decode(encode(list)))).toBe(JSON.stringify(list))
    expect(JSON.stringify(decode(encode(record)))).toBe(JSON.stringify(record))
  })

  test("copes with a getter that encodes something itself", () => {
    const value = {
      a: "before",
      get b() {
        return decode(encode({ inner: ["x".repeat(20_000)] }))
      },
      c: "after",
    }
    expect(decode(encode(value))).toStrictEqual({
      a: "before",
      b: { inner: ["x".repeat(20_000)] },
      c: "after",
    })
  })
})
