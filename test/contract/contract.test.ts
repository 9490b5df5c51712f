import * as v from "valibot"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { channel } from "../../src/contract/channel.ts"
import { type ChannelDefinitions, contract } from "../../src/contract/contract.ts"

const app = contract({
  "room/:room": channel({
    events: { said: z.object({ text: z.string() }) },
    presence: v.object({ name: v.string() }),
    signals: { typing: z.object({}) },
    keep: { events: 10, forMs: 1_000, bytes: 1_024 },
  }),
  "room/:room/admin": channel({
    events: {
      moved: { input: z.object({ to: z.string() }), output: z.object({ to: z.string(), by: z.string() }) },
    },
  }),
  "market/:venue": channel({ state: { price: z.number() }, rate: { perKeyPerSecond: 10 } }),
  "auction/:lot": channel({
    calls: {
      bid: { input: z.number(), output: z.number(), errors: { too_low: z.object({ min: z.number() }) } },
    },
  }),
  "room/fixed": channel({}),
})

describe("a contract finds the channel for a name", () => {
  test("with its pattern, its parameters and its definition", () => {
    expect(app.match("room/lobby")).toEqual({
      pattern: "room/:room",
      params: { room: "lobby" },
      definition: app.channels["room/:room"],
    })
    expect(app.match("room/lobby/admin")?.pattern).toBe("room/:room/admin")
    expect(app.match("market/nyse")?.params).toEqual({ venue: "nyse" })
  })

  test("by the first pattern that matches, in the order declared", () => {
    expect(app.match("room/fixed")?.pattern).toBe("room/:room")
  })

  test.each([
    "",
    "room",
    "nothing/here",
    "constructor",
    "__proto__",
    "toString",
    "room/:room/x",
    "hasOwnProperty/a",
  ])("and none for %j", (name) => {
    expect(app.match(name)).toBeUndefined()
  })

  test("and none for a name beyond the limit, without looking at it", () => {
    expect(app.match(`room/${"x".repeat(250)}`)?.pattern).toBe("room/:room")
    expect(app.match(`room/${"x".repeat(251)}`)).toBeUndefined()
    expect(app.match("/".repeat(10_000_000))).toBeUndefined()
  })

  test("also when a pattern is called like a member of Object", () => {
    const odd = contract({ constructor: channel({}), "toString/:valueOf": channel({}) })
    expect(odd.match("constructor")?.pattern).toBe("constructor")
    expect(odd.match("toString/x")?.params).toEqual({ valueOf: "x" })
    expect(odd.match("valueOf")).toBeUndefined()
  })
})

describe("a contract refuses", () => {
  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ["a malformed pattern", { "room/": {} }, /channel pattern "room\/"/],
    ["a channel that is none", { room: null }, /channel "room": .*object/],
    ["an event without a schema", { room: { events: { said: {} } } }, /channel "room": events\.said/],
    ["a state without a schema", { room: { state: { price: null } } }, /channel "room": state\.price/],
    ["a signal without a schema", { room: { signals: { typing: "x" } } }, /channel "room": signals\.typing/],
    ["a presence without a schema", { room: { presence: {} } }, /channel "room": presence/],
    ["a snapshot without a schema", { room: { snapshot: {} } }, /channel "room": snapshot/],
    ["half a pair", { room: { events: { said: { input: z.string() } } } }, /events\.said is neither/],
    ["a call without output", { room: { calls: { bid: { input: z.number() } } } }, /calls\.bid needs/],
    ["a call that is none", { room: { calls: { bid: undefined } } }, /calls\.bid needs/],
    [
      "a call's error without a schema",
      { room: { calls: { bid: { input: z.number(), output: z.number(), errors: { low: 1 } } } } },
      /calls\.bid\.errors\.low/,
    ],
    ["a facet that does not exist", { room: { event: { said: z.string() } } }, /channel "room": .*"event"/],
    ["an empty name", { room: { events: { "": z.string() } } }, /channel "room": .*name/],
    [
      "a name that is too long",
      { room: { signals: { ["x".repeat(256)]: z.string() } } },
      /channel "room": .*name/,
    ],
    ["a count to keep that is none", { room: { keep: { events: -1 } } }, /channel "room": keep\.events/],
    [
      "another thing to keep",
      { room: { keep: { count: 5 } } },
      /"keep.count" is none of events, forMs, bytes/,
    ],
    ["another rate", { room: { rate: { perSecond: 5 } } }, /"rate.perSecond" is none of perKeyPerSecond/],
    ["an age to keep that is none", { room: { keep: { forMs: "1d" } } }, /channel "room": keep\.forMs/],
    ["a size to keep that is none", { room: { keep: { bytes: Number.NaN } } }, /channel "room": keep\.bytes/],
    [
      "a rate of nothing",
      { room: { rate: { perKeyPerSecond: 0 } } },
      /channel "room": rate\.perKeyPerSecond/,
    ],
  ]

  test.each(refused)("%s", (_what, channels, sentence) => {
    const declare = () => contract(channels as ChannelDefinitions)
    expect(declare).toThrow(TypeError)
    expect(declare).toThrow(sentence)
  })
})
