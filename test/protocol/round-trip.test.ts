import { isDeepStrictEqual } from "node:util"
import { Packr } from "msgpackr"
import { describe, expect, test } from "vitest"
import { json } from "../../src/protocol/json.ts"
import { msgpack } from "../../src/protocol/msgpack.ts"
import { seeded } from "../../src/testing/seeded.ts"
import { randomValue } from "./random-value.ts"

const ROUNDS = 1_000

describe("whatever value", () => {
  test("comes back from JSON, and its text is the same when written again", () => {
    eachValue((value) => {
      const text = json.encode(value)
      const decoded = json.decode(text)
      expectSame(decoded, value)
      expect(json.encode(decoded)).toBe(text)
    })
  })

  test("comes back from MessagePack, and its bytes are the same when written again", () => {
    eachValue((value) => {
      const bytes = msgpack.encode(value)
      const decoded = msgpack.decode(bytes)
      expectSame(decoded, value)
      expectSame(msgpack.encode(decoded), bytes)
    })
  })

  test("is the same on its way through both", () => {
    eachValue((value) => {
      expect(json.encode(msgpack.decode(msgpack.encode(value)))).toBe(json.encode(value))
    })
  })

  test("is written byte for byte as an independent library writes it, and read by it", () => {
    const library = new Packr({ useRecords: false, variableMapSize: true })
    eachValue((value) => {
      const text = json.encode(value)
      // the library calls toJSON, whatever it is
      if (text.includes("toJSON")) return
      const bytes = msgpack.encode(value)
      expectSame(new Uint8Array(library.pack(value)), bytes)
      // it renames __proto__ when it reads, and leaves a member behind on its input
      if (text.includes("__proto__")) return
      expectSame(msgpack.encode(library.unpack(Uint8Array.from(bytes))), bytes)
    })
  })
})

function eachValue(check: (value: unknown) => void): void {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const value = randomValue(seeded(seed))
    try {
      check(value)
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    }
  }
}

/** Unlike vitest's comparison, this one is not led astray by members called __proto__ and constructor. */
function expectSame(actual: unknown, expected: unknown): void {
  expect({ actual, same: isDeepStrictEqual(actual, expected) }).toMatchObject({ same: true })
}
