import { describe, expect, test } from "vitest"
import { parseClientMessage } from "../../src/protocol/client-message.ts"
import { HoldfastError } from "../../src/protocol/error.ts"
import { json } from "../../src/protocol/json.ts"
import { msgpack } from "../../src/protocol/msgpack.ts"
import { type Seeded, seeded } from "../../src/testing/seeded.ts"
import { randomValue } from "./random-value.ts"

const ROUNDS = 4_000

/** A message as a client would send it, with any payload. */
function randomMessage(chance: Seeded): object {
  return {
    type: chance.pick(["publish", "call", "hello", "signal", "constructor"]),
    id: chance.between(0, 1e6),
    channel: "room/lobby",
    name: "said",
    data: randomValue(chance),
    idempotencyKey: chance.uniqueId(),
  }
}

/** The worst that may happen to bytes on their way, and to those of someone with bad intentions. */
function mutate(bytes: Uint8Array, chance: Seeded): Uint8Array {
  let mutated = Uint8Array.from(bytes)
  for (let left = chance.between(1, 4); left > 0; left--) {
    const at = chance.between(0, Math.max(0, mutated.length - 1))
    switch (chance.between(0, 4)) {
      case 0:
        mutated = mutated.slice(0, at)
        break
      case 1:
        mutated[at] = chance.between(0, 255)
        break
      case 2:
        mutated[at] = chance.pick([0xc1, 0xc6, 0xcf, 0xd3, 0xdb, 0xdd, 0xdf, 0x9f, 0x8f, 0xff, 0x7f])
        break
      case 3:
        mutated = Uint8Array.from([
          ...mutated.slice(0, at),
          ...mutated.slice(at, at + 8),
          ...mutated.slice(at),
        ])
        break
      case 4:
        mutated = Uint8Array.from([...mutated.slice(0, at), ...mutated.slice(at + chance.between(1, 8))])
        break
    }
  }
  return mutated
}

/** Either a value that can travel on, or the one error. */
function survives(seed: number, decode: () => unknown): void {
  let decoded: unknown
  try {
    decoded = decode()
  } catch (error) {
    if (error instanceof HoldfastError && error.code === "invalid_message") return
    throw new Error(`seed ${seed}`, { cause: error })
  }
  json.encode(decoded)
  msgpack.encode(decoded)
}

describe("hostile input gets nothing but a value or invalid_message", () => {
  test("as mutated MessagePack", () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const chance = seeded(seed)
      const bytes = mutate(msgpack.encode(randomMessage(chance)), chance)
      survives(seed, () => parseClientMessage(msgpack.decode(bytes)))
      survives(seed, () => msgpack.decode(bytes))
    }
  })

  test("as mutated JSON", () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const chance = seeded(seed)
      const bytes = mutate(new TextEncoder().encode(json.encode(randomMessage(chance))), chance)
      const text = new TextDecoder().decode(bytes)
      survives(seed, () => parseClientMessage(json.decode(text)))
      survives(seed, () => json.decode(text))
    }
  })

  test("as random bytes", () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const chance = seeded(seed)
      const bytes = Uint8Array.from({ length: chance.between(0, 60) }, () => chance.between(0, 255))
      survives(seed, () => msgpack.decode(bytes))
    }
  })

  test("as any value in the place of a message", () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const value = randomValue(seeded(seed))
      survives(seed, () => parseClientMessage(value))
    }
  })

  test("as every prefix of a message", () => {
    const message = {
      type: "publish",
      id: 7,
      data: [1.5, "é".repeat(40), new Uint8Array(300), { a: -70_000 }],
    }
    const bytes = msgpack.encode(message)
    const text = json.encode(message)
    for (let length = 0; length < bytes.length; length++) {
      expect(() => msgpack.decode(bytes.subarray(0, length))).toThrow(HoldfastError)
    }
    for (let length = 0; length < text.length; length++) {
      expect(() => json.decode(text.slice(0, length))).toThrow(HoldfastError)
    }
  })
})
