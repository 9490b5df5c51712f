import { expect, test } from "vitest"
import { Outbox, tooLarge } from "../../src/client/outbox.ts"
import { HoldfastError } from "../../src/protocol/error.ts"

const NEVER = Number.POSITIVE_INFINITY

function outbox(entriesMax = 10) {
  const box = new Outbox(entriesMax)
  const settled: unknown[] = []
  const add = (id: number, { repeat = true, deadlineMs = NEVER, wire = `#${id}` } = {}) => {
    const settle = (outcome: object) => {
      settled.push([id, outcome instanceof HoldfastError ? outcome.code : "result"])
    }
    box.add({ id, wire, repeat, deadlineMs, settle })
  }
  const take = () => box.takeWires(1_000)
  return { box, add, take, settled }
}

test("messages leave in the order they were added, each once per line", () => {
  const { add, take } = outbox()
  add(1)
  add(2)
  expect(take()).toEqual(["#1", "#2"])
  add(3)
  expect(take()).toEqual(["#3"])
  expect(take()).toEqual([])
})

test("over a new line, what is unanswered leaves again in the same order, before anything new", () => {
  const { box, add, take, settled } = outbox()
  for (const id of [1, 2, 3]) add(id)
  take()
  box.handleAnswer({ type: "result", id: 2 })
  box.handleDown()
  add(4)
  expect(take()).toEqual(["#1", "#3", "#4"])
  box.handleDown()
  expect(take()).toEqual(["#1", "#3", "#4"])
  expect(settled).toEqual([[2, "result"]])
})

test("what must not be repeated is rejected when the line is cut, unless it had not left", () => {
  const { box, add, take, settled } = outbox()
  add(1, { repeat: false })
  take()
  add(2, { repeat: false })
  box.handleDown()
  expect(settled).toEqual([[1, "connection_lost"]])
  expect(take()).toEqual(["#2"])
})

test("each is settled once, by the first answer", () => {
  const { box, add, settled } = outbox()
  add(1)
  add(2)
  expect(box.handleAnswer({ type: "error", id: 1, code: "not_allowed", message: "no" })).toBe(true)
  expect(box.handleAnswer({ type: "result", id: 1 })).toBe(false)
  box.handleEnd(new HoldfastError("closed"))
  box.handleEnd(new HoldfastError("closed"))
  expect(settled).toEqual([
    [1, "not_allowed"],
    [2, "closed"],
  ])
})

test("one more than it holds is refused, and says the limit", () => {
  const { box, add } = outbox(2)
  add(1)
  add(2)
  expect(() => add(3)).toThrow(expect.objectContaining({ code: "outbox_full", limit: 2 }))
  box.handleAnswer({ type: "result", id: 1 })
  add(4)
})

test("what is not answered in time is given up, and not sent again", () => {
  const { box, add, take, settled } = outbox()
  add(1, { deadlineMs: 100 })
  add(2, { deadlineMs: 50 })
  add(3)
  expect(box.nextTimeoutMs()).toBe(50)
  box.handleTimeout(49)
  box.handleTimeout(50)
  expect(settled).toEqual([[2, "timeout"]])
  expect(box.nextTimeoutMs()).toBe(100)
  expect(take()).toEqual(["#1", "#3"])
  box.handleTimeout(100)
  expect(box.nextTimeoutMs()).toBe(NEVER)
})

test("what the server would not read is rejected here, and the others leave", () => {
  const { add, take, settled } = outbox()
  add(1, { wire: "x".repeat(1_001) })
  add(2)
  expect(take()).toEqual(["#2"])
  expect(settled).toEqual([[1, "message_too_large"]])
})

test("the size of a text is that of its UTF-8", () => {
  expect(tooLarge("é".repeat(500), 1_000)).toBeUndefined()
  expect(tooLarge("é".repeat(501), 1_000)).toMatchObject({ limit: 1_000 })
  expect(tooLarge("a".repeat(1_000), 1_000)).toBeUndefined()
  expect(tooLarge(new Uint8Array(1_000), 1_000)).toBeUndefined()
  expect(tooLarge(new Uint8Array(1_001), 1_000)).toMatchObject({ code: "message_too_large" })
})
