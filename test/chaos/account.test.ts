import { expect, test } from "vitest"
import { type Account, complaints } from "../../chaos/account.ts"

const log = ["a", "b", "c", "d"].map((id, index) => ({ id, offset: 10 + 2 * index }))
const [a, b, c, d] = log as [Placed, Placed, Placed, Placed]
type Placed = Account["log"][number]

const right: Account = {
  log,
  published: ["a", "b", "c", "d"],
  acknowledged: [a, c],
  delivered: new Map([
    ["Ada", log],
    ["Bob", log],
  ]),
}

const delivered = (...entries: Placed[]) => ({
  ...right,
  delivered: new Map([
    ["Ada", log],
    ["Bob", entries],
  ]),
})

test("nothing is wrong with what is right", () => {
  expect(complaints(right)).toEqual([])
})

test.each<[string, Account, string[]]>([
  ["a delivery that is dropped", delivered(a, c, d), ["Bob was not given b at 12"]],
  ["the last one dropped", delivered(a, b, c), ["Bob was not given d at 16"]],
  ["one that comes twice in a row", delivered(a, b, b, c, d), ["Bob was given b at 12, out of turn"]],
  ["one that comes again later", delivered(a, b, c, b, d), ["Bob was given b at 12, out of turn"]],
  [
    "two that change places",
    delivered(a, c, b, d),
    ["Bob was not given b at 12", "Bob was given b at 12, out of turn"],
  ],
  [
    "one with another's contents",
    delivered(a, { id: "a", offset: 12 }, c, d),
    ["Bob was given a at 12, where b is"],
  ],
  [
    "one that is not in the log",
    delivered(a, b, c, d, { id: "e", offset: 18 }),
    ["Bob was given e at 18, out of turn"],
  ],
  [
    "an acknowledgement of what the log does not hold",
    { ...right, acknowledged: [{ id: "e", offset: 18 }] },
    ["e was acknowledged and is not in the log"],
  ],
  [
    "an acknowledgement with another place",
    { ...right, acknowledged: [{ id: "a", offset: 12 }] },
    ["a was acknowledged as 12 and is at 10"],
  ],
  [
    "what was published once and is in the log twice",
    { ...right, log: [...log, { id: "a", offset: 18 }], acknowledged: [], delivered: new Map() },
    ["a is in the log twice, at 10 and 18"],
  ],
  [
    "what nobody published",
    { ...right, published: ["a", "b", "c"] },
    ["d is in the log and was never published"],
  ],
])("%s is found", (_, account, expected) => {
  expect(complaints(account)).toEqual(expected)
})
