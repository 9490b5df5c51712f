import { expect, test } from "vitest"
import { Outbox, type Request, tooLarge } from "../../src/client/outbox.ts"
import { HoldfastError } from "../../src/protocol/error.ts"
import { welcome } from "./fake-line.ts"

const line = {}
const WINDOW_MS = 1_000

function outbox(entriesMax = 10) {
  const box = new Outbox(entriesMax)
  const settled: unknown[] = []
  const add = (
    id: number,
    { repeat = "keyed" as Request["repeat"], wire = `#${id}`, channel = "room/lobby" } = {},
  ) => {
    const settle = (outcome: object) => {
      settled.push([id, outcome instanceof HoldfastError ? outcome.code : "result"])
    }
    box.add({ id, channel, wire, repeat, settle })
  }
  const take = (nowMs = 0) => box.takeWires(line, { ...welcome, idempotencyWindowMs: WINDOW_MS }, nowMs)
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
  box.handleDown(line)
  add(4)
  expect(take()).toEqual(["#1", "#3", "#4"])
  box.handleDown(line)
  expect(take()).toEqual(["#1", "#3", "#4"])
  expect(settled).toEqual([[2, "result"]])
})

test("what must not be repeated is rejected when the line is cut, unless it had not left", () => {
  const { box, add, take, settled } = outbox()
  add(1, { repeat: "never" })
  take()
  add(2, { repeat: "never" })
  box.handleDown(line)
  expect(settled).toEqual([[1, "connection_lost"]])
  expect(take()).toEqual(["#2"])
})

test("what the log can't take, but may have taken when it was sent first, is in doubt and leaves again", () => {
  const { box, add, take, settled } = outbox()
  const unavailable = (id: number) => ({ type: "error", id, code: "log_unavailable", message: "" }) as const
  add(1)
  take()
  expect(box.isDoubtful(unavailable(1))).toBe(false)
  box.handleDown(line)
  take()
  expect(box.isDoubtful({ ...unavailable(1), code: "not_allowed" })).toBe(false)
  expect(box.isDoubtful(unavailable(2))).toBe(false)
  expect(box.isDoubtful(unavailable(1))).toBe(true)
  expect(box.isDoubtful({ ...unavailable(1), code: "in_doubt" })).toBe(true)
  box.sendAgain(1)
  box.sendAgain(2)
  expect(take()).toEqual(["#1"])
  expect(settled).toEqual([])
})

test("what is refused for want of space is in doubt, if it was sent before", () => {
  const { box, add, take, settled } = outbox()
  const refuse = (id: number, code: string) => box.handleAnswer({ type: "error", id, code, message: "" })
  for (const id of [1, 2]) add(id)
  take()
  refuse(1, "quota_exceeded")
  box.handleDown(line)
  add(3)
  take()
  refuse(2, "quota_exceeded")
  refuse(3, "log_full")
  expect(settled).toEqual([
    [1, "quota_exceeded"],
    [2, "in_doubt"],
    [3, "log_full"],
  ])
})

test("what was published behind what is sent again waits for it, where the order matters", () => {
  const { box, add, take, settled } = outbox()
  const refuse = (id: number) =>
    expect(box.isDoubtful({ type: "error", id, code: "log_unavailable", message: "" })).toBe(true)
  add(1)
  add(2)
  take()
  box.handleDown(line)
  take()
  refuse(1)
  add(3)
  add(4, { channel: "room/other" })
  add(5, { repeat: "never" })
  expect(take()).toEqual(["#4", "#5"])
  // the second may yet be taken, and then the first would come behind it
  expect(box.sendAgain(1)).toBe(false)
  refuse(2)
  expect(box.sendAgain(1)).toBe(true)
  expect(take()).toEqual([])
  expect(box.sendAgain(2)).toBe(true)
  expect(take()).toEqual(["#1", "#2", "#3"])
  expect(settled).toEqual([])
})

test("what is sent again is in doubt once the log has taken what came behind it", () => {
  const { box, add, take, settled } = outbox()
  add(1)
  add(2)
  take()
  box.handleDown(line)
  take()
  box.isDoubtful({ type: "error", id: 1, code: "log_unavailable", message: "" })
  box.handleAnswer({ type: "result", id: 2 })
  expect(settled).toEqual([
    [2, "result"],
    [1, "in_doubt"],
  ])
  expect(box.sendAgain(1)).toBe(true)
  add(3)
  expect(take()).toEqual(["#3"])
})

test("over a new line, what waited to be sent again leaves before what waited for it", () => {
  const { box, add, take } = outbox()
  add(1)
  take()
  box.handleDown(line)
  take()
  box.isDoubtful({ type: "error", id: 1, code: "log_unavailable", message: "" })
  add(2)
  expect(take()).toEqual([])
  box.handleDown(line)
  expect(take()).toEqual(["#1", "#2"])
  expect(box.sendAgain(1)).toBe(true)
  expect(take()).toEqual([])
})

test("what has no key and the log can't take is refused: sent again, it would undo what came after it", () => {
  const { box, add, take } = outbox()
  add(1, { repeat: "anew" })
  take()
  box.handleDown(line)
  take()
  expect(box.isDoubtful({ type: "error", id: 1, code: "log_unavailable", message: "" })).toBe(false)
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

test("what is given up in the meantime is not sent", () => {
  const { box, add, take, settled } = outbox()
  add(1)
  add(2)
  expect(box.settle(1, new HoldfastError("timeout"))).toBe(true)
  expect(take()).toEqual(["#2"])
  expect(settled).toEqual([[1, "timeout"]])
})

test("what was sent so long ago that the server may have forgotten its key is in doubt, and not sent again", () => {
  const { box, add, take, settled } = outbox()
  add(1)
  take(10_000)
  add(2)
  add(3, { repeat: "anew" })
  take(10_500)
  box.handleDown(line)
  add(4)
  // the first time counts, however often it was sent
  expect(take(10_700)).toEqual(["#1", "#2", "#3", "#4"])
  box.handleDown(line)
  expect(take(10_801)).toEqual(["#2", "#3", "#4"])
  expect(settled).toEqual([[1, "in_doubt"]])
  box.handleDown(line)
  expect(take(50_000)).toEqual(["#3"])
})

test("what never left is not in doubt, however long it waits", () => {
  const { box, add, take } = outbox()
  add(1)
  box.handleDown(line)
  expect(take(1e9)).toEqual(["#1"])
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
