import type { Seeded } from "../../src/testing/seeded.ts"

/** A value that may travel, biased towards the edges of the formats. */
export function randomValue(chance: Seeded, depth = 0): unknown {
  const kind = chance.between(0, depth < 5 ? 8 : 5)
  switch (kind) {
    case 0:
      return chance.pick([null, true, false])
    case 1:
      return randomNumber(chance)
    case 2:
    case 3:
      return randomText(chance)
    case 4:
      return randomBytes(chance)
    case 5:
      return chance.between(-100, 100)
    case 6:
      return Array.from({ length: randomLength(chance) }, () => randomValue(chance, depth + 1))
    default:
      return randomObject(chance, depth)
  }
}

function randomObject(chance: Seeded, depth: number): object {
  const object = {}
  for (let left = randomLength(chance); left > 0; left--) {
    const value = randomValue(chance, depth + 1)
    // an assignment to __proto__ would be lost
    Object.defineProperty(object, randomKey(chance), {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return object
}

const ODD_KEYS = [
  "$bytes",
  "$object",
  "$",
  "$x",
  "__proto__",
  "constructor",
  "toJSON",
  "length",
  "0",
  "",
  "type",
]

function randomKey(chance: Seeded): string {
  return chance.chance(0.4) ? chance.pick(ODD_KEYS) : randomText(chance)
}

const EDGES = [0, 0x1f, 0x20, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]

function randomNumber(chance: Seeded): number {
  const edge = chance.pick([...EDGES, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, Number.MIN_VALUE])
  const number = chance.pick([edge, -edge, edge + 1, -edge - 1, edge / 3, chance.random() * edge])
  // -0 travels as 0, so it does not come back
  return Number.isFinite(number) && number !== 0 ? number : 0
}

const ALPHABETS = ["ab", 'a"\\\n\u0000', "aé", "水a", "🎉a", "\u2028\ufeff", "$b"]

function randomText(chance: Seeded): string {
  const characters = [...chance.pick(ALPHABETS)]
  return Array.from({ length: randomLength(chance) }, () => chance.pick(characters)).join("")
}

function randomBytes(chance: Seeded): Uint8Array {
  return Uint8Array.from({ length: randomLength(chance) }, () => chance.between(0, 255))
}

/** Mostly small; sometimes around where a header changes its form. */
function randomLength(chance: Seeded): number {
  if (chance.chance(0.9)) return chance.between(0, 4)
  return chance.pick([15, 16, 17, 31, 32, 33, 40])
}
