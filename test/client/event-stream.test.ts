import { expect, test } from "vitest"
import { eventStream } from "../../src/client/event-stream.ts"
import { HoldfastError } from "../../src/protocol/error.ts"

function stream(limit = 3) {
  let ends = 0
  const made = eventStream<{ n: number }>(limit, () => {
    ends++
  })
  return { ...made, ends: () => ends }
}

test("yields what was pushed, before and while it is waited for", async () => {
  const { events, push, end } = stream()
  push({ n: 1 })
  const taken: number[] = []
  const reading = (async () => {
    for await (const { n } of events) taken.push(n)
  })()
  push({ n: 2 })
  await Promise.resolve()
  push({ n: 3 })
  end(undefined)
  await reading
  expect(taken).toEqual([1, 2, 3])
})

test("a loop that is left takes the listener off", async () => {
  const { events, push, ends } = stream()
  push({ n: 1 })
  for await (const _ of events) break
  expect(ends()).toBe(1)
  expect(await events.next()).toEqual({ value: undefined, done: true })
})

test("at the limit it yields what it holds, then throws: nothing is lost in silence", async () => {
  const { events, push, ends } = stream(2)
  for (const n of [1, 2, 3, 4]) push({ n })
  expect(ends()).toBe(1)
  const taken: number[] = []
  const read = async () => {
    for await (const { n } of events) taken.push(n)
  }
  await expect(read()).rejects.toMatchObject({ code: "buffer_full", limit: 2 })
  expect(taken).toEqual([1, 2])
})

test("an error ends it after what came before", async () => {
  const { events, push, end } = stream()
  push({ n: 1 })
  end(new HoldfastError("not_allowed"))
  expect(await events.next()).toMatchObject({ value: { n: 1 } })
  await expect(events.next()).rejects.toMatchObject({ code: "not_allowed" })
  expect(await events.next()).toMatchObject({ done: true })
})

test("who waits for an event is let go when the stream is left", async () => {
  const { events, ends } = stream()
  const waiting = events.next()
  await events.return(undefined)
  expect(await waiting).toEqual({ value: undefined, done: true })
  expect(ends()).toBe(1)
})
