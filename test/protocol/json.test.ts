import { describe, expect, test } from "vitest"
import { json } from "../../src/protocol/json.ts"

const refusal = expect.objectContaining({ name: "HoldfastError", code: "invalid_message" })

describe("the JSON decoder", () => {
  test.each([
    ["arrays", "[", "]"],
    ["objects", '{"a":', "}"],
    ["escapes", '{"$object":', "}"],
    ["objects with an escape at the bottom", '{"a":{"$object":', "}}"],
  ])("refuses %s that are nested without an end", (_what, open, close) => {
    const levels = 200_000
    expect(() => json.decode(open.repeat(levels))).toThrow(refusal)
    expect(() => json.decode(`${open.repeat(levels)}null${close.repeat(levels)}`)).toThrow(refusal)
  })

  test("reads what 64 levels hold", () => {
    const text = `${"[".repeat(64)}1${"]".repeat(64)}`
    expect(json.encode(json.decode(text))).toBe(text)
    expect(() => json.decode(`[${text}]`)).toThrow(refusal)
  })

  test("says nothing of the text in its error, which goes to a log", () => {
    expect(() => json.decode('{"token":"secret')).toThrow(/^The text is not well-formed\.$/)
  })

  test("is not fooled by members of Object in an only key", () => {
    expect(json.decode('{"constructor":1}')).toEqual({ constructor: 1 })
    expect(() => json.decode('{"$constructor":1}')).toThrow(refusal)
  })

  test("takes base64 as browsers do: without padding and with white space", () => {
    expect(json.decode('{"$bytes":"_"}'.replace("_", "/w"))).toEqual(new Uint8Array([255]))
    expect(json.decode('{"$bytes":" / w = = "}')).toEqual(new Uint8Array([255]))
  })

  test("passes a lone surrogate on, as JSON does", () => {
    expect(json.decode(json.encode("a\ud800b"))).toBe("a\ud800b")
  })
})

describe("the JSON encoder", () => {
  test("writes what needs no change exactly as JSON.stringify does", () => {
    const value = { list: [1, { a: null }], text: "$bytes", more: { $a: 1, b: 2 }, none: undefined }
    expect(json.encode(value)).toBe(JSON.stringify(value))
  })
})
