import { describe, expect, test } from "vitest"
import { parseClientMessage } from "../../src/protocol/client-message.ts"
import { HoldfastError } from "../../src/protocol/error.ts"
import type { ClientMessage } from "../../src/protocol/message.ts"

const session = "V1StGXR8_Z5jdHi6B-myT0"
const idempotencyKey = "k"
const channel = "room/lobby"
const name = "said"

/** One of each, with nothing that could be left out. */
const minimal = {
  hello: { session, subscriptions: [] },
  subscribe: { channel },
  unsubscribe: { channel },
  publish: { id: 1, channel, name, idempotencyKey },
  set: { id: 1, channel, name, key: "k", idempotencyKey },
  delete: { id: 1, channel, name, key: "k", idempotencyKey },
  enter: { id: 1, channel, version: 1 },
  leave: { id: 1, channel, version: 1 },
  signal: { channel, name },
  call: { id: 1, channel, name, timeoutMs: 1 },
  token: { token: "t" },
  ping: {},
  pong: {},
} as const satisfies Record<ClientMessage["type"], object>

function errorOf(message: unknown): HoldfastError {
  try {
    parseClientMessage(message)
  } catch (error) {
    expect(error).toBeInstanceOf(HoldfastError)
    expect(error).toMatchObject({ code: "invalid_message" })
    return error as HoldfastError
  }
  throw new Error("the message was taken")
}

describe.each(Object.entries(minimal))("%s", (type, fields) => {
  const message = { type, ...fields }

  test("is taken and given back as it is", () => {
    expect(parseClientMessage(message)).toBe(message)
  })

  test("may have fields that this version does not know", () => {
    expect(parseClientMessage({ ...message, later: { than: "now" } })).toMatchObject(message)
  })

  if (Object.keys(fields).length > 0) {
    test.each(Object.keys(fields))("is refused without %s", (field) => {
      const { [field as never]: _left, ...rest } = message
      const error = errorOf(rest)
      expect(error.path).toBe(field)
      expect(error.message).toMatch(new RegExp(`^${type}: "${field}" has to be .*, not left out\\.$`))
    })

    test.each(Object.keys(fields))("is refused with null for %s", (field) => {
      expect(errorOf({ ...message, [field]: null })).toMatchObject({ path: field })
    })

    test.each(Object.keys(fields))("is refused with an object for %s", (field) => {
      expect(errorOf({ ...message, [field]: { length: 1 } })).toMatchObject({ path: field })
    })
  }
})

describe("fields", () => {
  const hello = (more: object) => ({ type: "hello", ...minimal.hello, ...more })
  const publish = (more: object) => ({ type: "publish", ...minimal.publish, ...more })
  const subscribe = (more: object) => ({ type: "subscribe", ...minimal.subscribe, ...more })
  const set = (more: object) => ({ type: "set", ...minimal.set, ...more })
  const call = (more: object) => ({ type: "call", ...minimal.call, ...more })
  const position = (more: object) => subscribe({ position: { epoch: "e", offset: 0, ...more } })

  test.each<[string, object]>([
    ["the first id", publish({ id: 0 })],
    ["the last id", publish({ id: Number.MAX_SAFE_INTEGER })],
    ["the longest channel name", publish({ channel: "c".repeat(255) })],
    ["the longest name", publish({ name: "n".repeat(255) })],
    ["the longest idempotency key", publish({ idempotencyKey: "k".repeat(128) })],
    ["the longest key", set({ key: "🎉".repeat(127) })],
    ["any payload", publish({ data: { type: "hello", id: -1 } })],
    ["the shortest session", hello({ session: "a".repeat(22) })],
    ["the longest session", hello({ session: "Az09_-".repeat(21) })],
    ["an empty token", hello({ token: "" })],
    ["a position at the start", position({ offset: 0 })],
    ["the longest epoch", position({ epoch: "e".repeat(64) })],
    ["all of the history", subscribe({ history: "all" })],
    ["the last event", subscribe({ history: { last: 1 } })],
    ["as many of the last events as possible", subscribe({ history: { last: 10_000 } })],
    ["a position and a history, of which the position counts", position({ history: "all" })],
    ["part of a millisecond", call({ timeoutMs: 0.5 })],
  ])("may be %s", (_what, message) => {
    expect(parseClientMessage(message)).toBe(message)
  })

  test.each<[string, object, string, RegExp]>([
    ["id", publish({ id: -1 }), "id", /a whole number from 0, not -1/],
    ["id", publish({ id: 1.5 }), "id", /not 1\.5/],
    ["id", publish({ id: 2 ** 53 }), "id", /not 9007199254740992/],
    ["id", publish({ id: "1" }), "id", /not "1"/],
    ["channel", publish({ channel: "" }), "channel", /a string of 1 to 255 characters, not ""/],
    ["channel", publish({ channel: "c".repeat(256) }), "channel", /not "c{40}…"/],
    ["channel", publish({ channel: ["a"] }), "channel", /not an array/],
    ["name", publish({ name: "n".repeat(256) }), "name", /a string of 1 to 255 characters/],
    [
      "idempotencyKey",
      publish({ idempotencyKey: "k".repeat(129) }),
      "idempotencyKey",
      /of 1 to 128 characters/,
    ],
    ["idempotencyKey", publish({ idempotencyKey: "" }), "idempotencyKey", /of 1 to 128 characters/],
    ["key", set({ key: "" }), "key", /a string of 1 to 255 characters of well-formed Unicode/],
    ["key", set({ key: "k".repeat(256) }), "key", /a string of 1 to 255 characters/],
    ["key", set({ key: "a\udc00" }), "key", /well-formed Unicode/],
    ["key", set({ key: new Uint8Array(1) }), "key", /not bytes/],
    ["session", hello({ session: "a".repeat(21) }), "session", /22 to 128 characters of A-Z a-z 0-9 _ -/],
    ["session", hello({ session: "a".repeat(129) }), "session", /22 to 128 characters/],
    ["session", hello({ session: `${"a".repeat(22)}\n` }), "session", /22 to 128 characters/],
    ["session", hello({ session: "é".repeat(22) }), "session", /22 to 128 characters/],
    ["token", hello({ token: 5 }), "token", /a string, not 5/],
    ["presence", hello({ presence: "room" }), "presence", /an array, not "room"/],
    ["where it is", hello({ presence: [{ data: 1 }] }), "presence.0.channel", /not left out/],
    ["subscriptions", hello({ subscriptions: {} }), "subscriptions", /an array, not an object/],
    [
      "one of subscriptions",
      hello({ subscriptions: [{ channel }, "x"] }),
      "subscriptions.1",
      /an object, not "x"/,
    ],
    ["its channel", hello({ subscriptions: [{ channel }, {}] }), "subscriptions.1.channel", /not left out/],
    [
      "its position",
      hello({ subscriptions: [{ channel, position: { epoch: "e", offset: -3 } }] }),
      "subscriptions.0.position.offset",
      /^hello: "subscriptions\.0\.position\.offset" has to be a whole number from 0, not -3\.$/,
    ],
    ["position", subscribe({ position: 5 }), "position", /an object, not 5/],
    ["position", subscribe({ position: ["e", 5] }), "position", /an object, not an array/],
    ["position.offset", position({ offset: -1 }), "position.offset", /a whole number from 0, not -1/],
    ["position.offset", position({ offset: "5" }), "position.offset", /not "5"/],
    ["position.offset", position({ offset: undefined }), "position.offset", /not left out/],
    [
      "position.epoch",
      position({ epoch: undefined }),
      "position.epoch",
      /of 1 to 64 characters, not left out/,
    ],
    ["position.epoch", position({ epoch: "" }), "position.epoch", /of 1 to 64 characters/],
    ["position.epoch", position({ epoch: "e".repeat(65) }), "position.epoch", /of 1 to 64 characters/],
    ["history", subscribe({ history: "everything" }), "history", /"all" or \{ last \}, not "everything"/],
    ["history", subscribe({ history: 50 }), "history", /"all" or \{ last \}, not 50/],
    ["history", subscribe({ history: [] }), "history", /not an array/],
    ["history.last", subscribe({ history: {} }), "history.last", /from 1 to 10000, not left out/],
    ["history.last", subscribe({ history: { last: 0 } }), "history.last", /from 1 to 10000, not 0/],
    ["history.last", subscribe({ history: { last: 10_001 } }), "history.last", /not 10001/],
    ["history.last", subscribe({ history: { last: 1.5 } }), "history.last", /not 1\.5/],
    ["timeoutMs", call({ timeoutMs: 0 }), "timeoutMs", /a number above 0, not 0/],
    ["timeoutMs", call({ timeoutMs: -5 }), "timeoutMs", /not -5/],
    ["timeoutMs", call({ timeoutMs: Number.NaN }), "timeoutMs", /not NaN/],
    ["timeoutMs", call({ timeoutMs: true }), "timeoutMs", /not true/],
  ])("%s is refused with its path and a sentence", (_what, message, path, sentence) => {
    const error = errorOf(message)
    expect(error.path).toBe(path)
    expect(error.message).toMatch(sentence)
  })

  test("are checked when they are own ones only in name", () => {
    const message = JSON.parse(`{"type":"publish","__proto__":${JSON.stringify(minimal.publish)}}`)
    expect(errorOf(message)).toMatchObject({ path: "id" })
  })
})

describe("no message is", () => {
  test.each([
    ["null", null],
    ["a number", 7],
    ["text", "hello"],
    ["an array", [{ type: "pong" }]],
    ["bytes", new Uint8Array(3)],
    ["nothing", undefined],
  ])("%s", (_what, decoded) => {
    expect(errorOf(decoded).message).toMatch(/^A message has to be an object, not /)
    expect(errorOf(decoded).path).toBeUndefined()
  })

  test.each([
    undefined,
    null,
    5,
    {},
    "",
    "HELLO",
    "welcome",
    "event",
    "constructor",
    "__proto__",
    "toString",
  ])("an object of type %j", (type) => {
    const error = errorOf({ type })
    expect(error.path).toBe("type")
    expect(error.message).toMatch(/^"type" has to be one of hello, subscribe, .*, pong, not /)
  })
})
