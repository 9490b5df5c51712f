import { expect, test } from "vitest"
import type { SubscriptionRequest } from "../../src/protocol/message.ts"
import { SharedStream, type StreamMessage } from "../../src/tabs/shared-stream.ts"

const position = (offset: number) => ({ epoch: "e", offset })
const subscribed = (offset: number): StreamMessage => ({
  type: "subscribed",
  channel: "c",
  alias: 9,
  position: position(offset),
  top: 11,
  snapshot: false,
})
const gap: StreamMessage = {
  type: "gap",
  alias: 9,
  reason: "trimmed",
  collections: ["events"],
  from: position(5),
  to: position(10),
  position: position(5),
  snapshot: false,
}
const entries: readonly StreamMessage[] = [
  { type: "set", alias: 9, offset: 6, at: 0, name: "price", key: "a", data: 1 },
  { type: "event", alias: 9, offset: 11, at: 0, name: "said", data: "x" },
]

function stream() {
  const asked: SubscriptionRequest[] = []
  const received = { one: [] as StreamMessage[], two: [] as StreamMessage[] }
  const shared = new SharedStream<"one" | "two">("c", 1, {
    subscribe: (request) => asked.push(request),
    unsubscribe: () => {},
    encode: (message) => message as never,
    send: (tab, wire) => received[tab].push(wire as never),
  })
  for (const tab of ["one", "two"] as const) shared.add(tab, { channel: "c", position: position(5) })
  const types = (tab: "one" | "two") => received[tab].map(({ type }) => type)
  return { shared, asked, types }
}

test("each tab is told of a gap that leaves the cursor where it stands, before the next entry", () => {
  const { shared, asked, types } = stream()
  shared.pump()
  shared.handleMessage(subscribed(5))
  shared.handleMessage(gap)
  for (const entry of entries) shared.handleMessage(entry)
  expect(types("one")).toEqual(["subscribed", "gap", "set", "event"])
  expect(types("two")).toEqual(["subscribed"])
  expect(asked).toHaveLength(2)
  shared.handleMessage(subscribed(5))
  shared.handleMessage(gap)
  for (const entry of entries) shared.handleMessage(entry)
  expect(types("two")).toEqual(["subscribed", "gap", "set", "event"])
  expect(types("one")).toEqual(["subscribed", "gap", "set", "event"])
  expect(asked).toHaveLength(2)
})

test("a tab that is served for another's sake has what its snapshot had", () => {
  const { shared, asked, types } = stream()
  shared.pump()
  shared.handleMessage(subscribed(5))
  shared.handleMessage({ ...gap, collections: ["state/price"], snapshot: true })
  shared.handleMessage({ type: "snapshot", alias: 9, offset: 11, entries: [], last: true })
  // the other one
  shared.handleMessage(subscribed(5))
  shared.handleMessage({ ...gap, collections: ["state/price"], snapshot: true })
  shared.handleMessage({ type: "snapshot", alias: 9, offset: 12, entries: [], last: true })
  shared.handleMessage({ type: "position", alias: 9, offset: 11 })
  for (const tab of ["one", "two"] as const)
    expect(types(tab)).toEqual(["subscribed", "gap", "snapshot", "position"])
  shared.handleDown()
  shared.pump()
  expect(asked.at(-1)).toEqual({ channel: "c", position: position(11), snapshotOffset: expect.any(Number) })
})
