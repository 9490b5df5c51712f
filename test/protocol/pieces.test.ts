import { describe, expect, test } from "vitest"
import { encodeBody, payloadIn } from "../../src/protocol/body.ts"
import { json } from "../../src/protocol/json.ts"
import { msgpack } from "../../src/protocol/msgpack.ts"
import { bytesOf, piecesOf } from "../../src/protocol/pieces.ts"
import { seeded } from "../../src/testing/seeded.ts"
import { randomValue } from "./random-value.ts"

const utf8 = (text: string) => new TextEncoder().encode(text)

/** Messages that carry payloads, with what `payload` makes of each. */
const messages = (values: readonly unknown[], payload: (value: unknown) => unknown): readonly object[] => {
  const [one, two, three] = values
  const odd = 'a"b\\c\n"data":null,é🎉'
  return [
    { type: "event", alias: 1, offset: 2, at: 3, name: odd, data: payload(one) },
    { type: "set", alias: 1, offset: 2, at: 3, name: "n", key: odd, data: payload(two) },
    { type: "join", alias: 1, offset: 2, at: 3, member: odd, data: payload(one) },
    { type: "signal", alias: 1, name: "n", data: payload(three) },
    { type: "result", id: 7, data: payload(two) },
    {
      type: "snapshot",
      alias: 1,
      offset: 9,
      entries: [
        { type: "set", offset: 4, at: 5, name: odd, key: "k", data: payload(one) },
        { type: "delete", offset: 6, at: 7, name: "n", key: odd },
        { type: "join", offset: 8, at: 8, member: "m", data: payload(two) },
      ],
      last: true,
      loaded: { offset: 3, data: payload(three) },
    },
    { type: "snapshot", alias: 1, offset: 9, entries: [], last: false },
  ]
}

describe.each(["json", "msgpack"] as const)("a message with payloads that were published in %s", (codec) => {
  test("is to the byte what the codecs write of it with values", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const chance = seeded(seed)
      const values = [1, 2, 3].map(() => asBoth(randomValue(chance)))
      const whole = messages(values, (value) => value)
      const around = messages(values, (value) => payloadIn(encodeBody(value, codec)))
      for (const [index, message] of around.entries()) {
        expect(bytesOf(piecesOf("json", message))).toEqual(utf8(json.encode(whole[index])))
        expect(bytesOf(piecesOf("msgpack", message))).toEqual(new Uint8Array(msgpack.encode(whole[index])))
      }
    }
  })
})

test("a message without payloads is what the codec writes", () => {
  const message = { type: "result", id: 1, data: { entries: [new Uint8Array(1)], data: null } }
  expect(piecesOf("json", message)).toEqual([json.encode(message)])
  expect(piecesOf("msgpack", message)).toEqual([msgpack.encode(message)])
})

test("a payload is put in as it is, not copied", () => {
  const body = encodeBody({ text: "hello" }, "json")
  const [, payload] = piecesOf("json", { type: "event", data: payloadIn(body) })
  expect((payload as Uint8Array).buffer).toBe(body.buffer)
})

/** Without lone surrogates, which MessagePack cannot carry. */
function asBoth(value: unknown): unknown {
  return msgpack.decode(msgpack.encode(value))
}
