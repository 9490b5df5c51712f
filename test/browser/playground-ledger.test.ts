import { beforeEach, describe, expect, it } from "vitest"
import { createLedger, type Ledger } from "../../playground/page/proof/ledger.ts"
import { verdictOf } from "../../playground/page/proof/verdict.ts"

const EVERY_MS = 50

describe("the count of what was published and what arrived", () => {
  let ledger: Ledger
  let nowMs: number

  beforeEach(() => {
    ledger = createLedger()
    nowMs = 1_000_000
  })

  function arrive(numbers: readonly number[], { run = "first", replayed = false } = {}): void {
    for (const number of numbers) {
      nowMs += EVERY_MS
      ledger.handleBeat({ run, number, at: nowMs - 2, replayed }, nowMs)
    }
  }

  const verdict = (line = {}) =>
    verdictOf(ledger.tally(), { isOpen: true, silentMs: 0, offset: 1_234, ...line })

  it("begins with the first event that arrives, whatever its number", () => {
    arrive([1_203, 1_204])
    expect(ledger.tally()).toMatchObject({ arrived: 2, published: 2, lost: 0, disordered: 0 })
    expect(verdict()).toMatchObject({ tone: "good", figure: "2 of 2" })
  })

  it("calls what is missing without a gap lost", () => {
    arrive([1, 2, 5])
    expect(ledger.tally()).toMatchObject({ arrived: 3, published: 5, lost: 2 })
    expect(verdict()).toMatchObject({ tone: "lost", figure: "3 of 5" })
  })

  it("notices what comes twice, or late", () => {
    arrive([1, 2, 2, 3, 1])
    expect(ledger.tally()).toMatchObject({ arrived: 3, disordered: 2 })
    expect(verdict().tone).toBe("lost")
  })

  it("tells what a gap announced from what was lost", () => {
    arrive([1, 2])
    ledger.handleGap("trimmed")
    arrive([10, 11])
    expect(ledger.tally()).toMatchObject({ arrived: 4, published: 11, announced: 7, lost: 0 })
    expect(verdict()).toMatchObject({ tone: "told", figure: "4 of 11" })
  })

  it("believes a gap for one hole only", () => {
    arrive([1])
    ledger.handleGap("trimmed")
    arrive([3, 5])
    expect(ledger.tally()).toMatchObject({ announced: 1, lost: 1 })
  })

  it("accepts that a server counts anew when it announced a gap", () => {
    arrive([7, 8])
    ledger.handleGap("new-epoch")
    arrive([4, 5], { run: "second" })
    expect(ledger.tally()).toMatchObject({ arrived: 4, lost: 0 })
    expect(verdict()).toMatchObject({ tone: "told" })
  })

  it("takes a server that counts anew without a word for a loss", () => {
    arrive([7, 8])
    arrive([1], { run: "second" })
    expect(ledger.tally().lost).toBe(1)
  })

  it("counts by their numbers what was missed while the connection was lost", () => {
    arrive([1, 2])
    ledger.handleLineLost(nowMs)
    ledger.handleLineBack(nowMs + 150)
    arrive([3, 4, 5], { replayed: true })
    expect(ledger.tally().missedWhileAway).toBe(3)
    arrive([6, 7])
    expect(ledger.tally().missedWhileAway).toBe(3)
  })

  it("counts as missed what a gap covers while the connection was lost", () => {
    arrive([1, 2])
    ledger.handleLineLost(nowMs)
    ledger.handleLineBack(nowMs)
    ledger.handleGap("trimmed")
    arrive([6, 7], { replayed: true })
    arrive([8])
    expect(ledger.tally()).toMatchObject({ missedWhileAway: 5, announced: 3 })
  })

  it("marks what was caught up with, and after which trouble", () => {
    arrive([1])
    ledger.handleLineLost(nowMs)
    ledger.handleLineBack(nowMs + 100)
    arrive([2, 3], { replayed: true })
    arrive([4])
    expect(ledger.marks.map(({ late }) => late)).toEqual([false, true, true, false])
    expect(ledger.troubles).toMatchObject([{ kind: "away", caughtUp: 2 }])
  })

  it("states only what is known while the connection is lost", () => {
    arrive([1, 2])
    expect(verdict({ isOpen: false, silentMs: 5_000 })).toEqual({
      tone: "waiting",
      figure: "2",
      text: "arrived up to position 1,234.\nNot connected: the rest is unknown.",
    })
  })

  it("states for how long nothing has arrived over an open connection", () => {
    arrive([1, 2])
    expect(verdict({ silentMs: 2_500 })).toMatchObject({ tone: "waiting", figure: "2" })
    expect(verdict({ silentMs: 2_500 }).text).toContain("Nothing new for 2 s.")
  })
})
