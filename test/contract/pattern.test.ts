import { describe, expect, test } from "vitest"
import { CHANNEL_NAME_LENGTH_MAX, formatName, matchName, parsePattern } from "../../src/contract/pattern.ts"

const paramsOf = (pattern: string, name: string) => matchName(parsePattern(pattern), name)

describe("a pattern", () => {
  test.each(["news", "room/:room", "a/:b/c/:d", ":tenant/room/:room", "v1.2/x_y~z-0", ":_", "constructor"])(
    "%s is well-formed",
    (pattern) => {
      expect(parsePattern(pattern).pattern).toBe(pattern)
    },
  )

  test.each([
    "",
    "/",
    "room/",
    "/room",
    "a//b",
    "a b",
    "room/:",
    "room/:1",
    "room/:a-b",
    "ro:om",
    "rööm",
    "a/*",
  ])("%j is refused", (pattern) => {
    expect(() => parsePattern(pattern)).toThrow(TypeError)
  })

  test("names each parameter once", () => {
    expect(() => parsePattern("a/:x/b/:x")).toThrow(/:x stands twice/)
  })
})

describe("a name matches its pattern", () => {
  test("when the literal parts are equal and each parameter has a value", () => {
    expect(paramsOf("room/:room", "room/lobby")).toEqual({ room: "lobby" })
    expect(paramsOf("a/:b/c/:d", "a/1/c/2")).toEqual({ b: "1", d: "2" })
    expect(paramsOf("news", "news")).toEqual({})
  })

  test.each([
    ["room/:room", "room"],
    ["room/:room", "room/"],
    ["room/:room", "room/a/b"],
    ["room/:room", "/room/a"],
    ["room/:room", "Room/a"],
    ["room/:room", ""],
    ["news", "news/"],
    ["news", "newsletter"],
  ])("%s is not the pattern of %j", (pattern, name) => {
    expect(paramsOf(pattern, name)).toBeUndefined()
  })

  test("only when its parameters are spelled canonically, so that no channel has two names", () => {
    expect(paramsOf("room/:room", "room/a%2Fb")).toEqual({ room: "a/b" })
    expect(paramsOf("room/:room", "room/a%2fb")).toBeUndefined()
    expect(paramsOf("room/:room", "room/%61")).toBeUndefined()
    expect(paramsOf("room/:room", "room/é")).toBeUndefined()
    expect(paramsOf("room/:room", "room/a b")).toBeUndefined()
    expect(paramsOf("room/:room", "room/a+b")).toBeUndefined()
  })

  test.each(["%", "%2", "%zz", "%ff", "%c3%28", "%ed%a0%80", "\ud800", "a\u0000b"])(
    "not with %j, which is no percent-encoding of text",
    (part) => {
      expect(paramsOf("room/:room", `room/${part}`)).toBeUndefined()
    },
  )

  test("whatever its parameters are called and hold", () => {
    const hostile = "a/:__proto__/:constructor/:toString"
    const params = paramsOf(hostile, "a/__proto__/constructor/hasOwnProperty")
    expect(Object.entries(params ?? {})).toEqual([
      ["__proto__", "__proto__"],
      ["constructor", "constructor"],
      ["toString", "hasOwnProperty"],
    ])
    expect(Object.getPrototypeOf(params)).toBe(Object.prototype)
  })
})

describe("a name is formatted", () => {
  test.each([
    "lobby",
    "a/b",
    "a b+c&d=e?f#g",
    "100%",
    "%2F",
    "..",
    "日本語 🎉",
    "\u0000\u001f",
    "__proto__",
    "constructor",
    "!'()*",
  ])("with %j as its parameter, and gives it back when matched", (room) => {
    const name = formatName("room/:room/log", { room })
    expect(name.split("/")).toHaveLength(3)
    expect(paramsOf("room/:room/log", name)).toEqual({ room })
  })

  test("with parameters of any name", () => {
    const params = JSON.parse('{"__proto__":"p","constructor":"c"}')
    expect(formatName("a/:__proto__/:constructor", params)).toBe("a/p/c")
  })

  test.each([undefined, "", 7, null, {}])("never with %j as a parameter", (value) => {
    const params = { room: value } as unknown as Record<string, string>
    expect(() => formatName("room/:room", params)).toThrow(/"room" must be a string, not empty/)
  })

  test.each(["constructor", "__proto__", "toString"])(
    "never with an inherited %s for a parameter",
    (param) => {
      expect(() => formatName(`room/:${param}`, {})).toThrow(TypeError)
    },
  )

  test("never with half a character", () => {
    expect(() => formatName("room/:room", { room: "a\ud800" })).toThrow(/lone surrogate/)
  })

  test("never longer than the limit", () => {
    const room = "x".repeat(CHANNEL_NAME_LENGTH_MAX - "room/".length)
    expect(formatName("room/:room", { room })).toHaveLength(CHANNEL_NAME_LENGTH_MAX)
    expect(() => formatName("room/:room", { room: `${room}x` })).toThrow(
      /256 characters long, 255 are allowed/,
    )
  })
})
