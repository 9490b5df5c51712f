import { afterEach, describe, expect, test, vi } from "vitest"
import type { Log } from "../../src/log/log.ts"
import type { Extend, Remove } from "../../src/log/operation.ts"
import type { Journalled } from "../../src/logs/lmdb/dedupe-journal.ts"
import { CHUNKS_PER_STEP, idempotencyKeysOf, KEYS_PER_STEP } from "../../src/logs/lmdb/idempotency-loading.ts"
import { lmdbLog } from "../../src/logs/lmdb/index.ts"
import { Store } from "../../src/logs/lmdb/store.ts"
import { fact, keepAll, put, temporaryFolder, textsOf } from "./folders.ts"

const retention = keepAll
const PIECES = 10_000
/** What one transaction removes at most: three bounded parts, and for each the record that exceeds its bound. */
const REMOVED_MAX = 7_000

afterEach(() => {
  vi.restoreAllMocks()
})

const once = (key: string) => ({ key, fingerprint: "", windowMs: 300_000 })

const extend = (key: string): Extend => ({
  operation: "extend",
  collection: "keys",
  key,
  body: Buffer.from("x"),
  at: Date.now(),
})

const remove = (key: string): Remove => ({ ...extend(key), operation: "remove", body: Buffer.alloc(0) })

async function grow(log: Log, key: string): Promise<void> {
  await log.append("a", put(key, ""), { retention })
  await Promise.all(Array.from({ length: PIECES }, () => log.append("a", extend(key), { retention })))
}

/** How many records each transaction removes, and how many channels it adds, from now on. */
function observed(): { readonly removed: number; readonly added: number }[] {
  const transactions: { removed: number; added: number }[] = []
  const { transact } = Store.prototype
  const addChannel = vi.spyOn(Store.prototype, "addChannel")
  vi.spyOn(Store.prototype, "transact").mockImplementation(function (this: Store, work) {
    const before = addChannel.mock.calls.length
    transact.call(this, work)
    transactions.push({ removed: this.removed, added: addChannel.mock.calls.length - before })
  })
  return transactions
}

const mostOf = (numbers: readonly number[]) => Math.max(...numbers)
const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0)

async function recordsOf(folder: string): Promise<number> {
  const store = new Store(folder, { readOnly: true })
  const count = store.entries.getKeysCount() + store.garbage.getKeysCount()
  await store.close()
  return count
}

describe("a value of many pieces in the LMDB log", () => {
  test.each([
    ["removed", remove("k"), [""]],
    ["replaced", put("k", "new"), ["new"]],
  ])("is %s at once, and deleted in turns", async (_, operation, texts) => {
    const folder = temporaryFolder()
    const log = lmdbLog(folder)
    await grow(log, "k")
    const transactions = observed()
    await log.append("a", operation, { retention })
    const reader = lmdbLog(folder, { readOnly: true })
    expect(await textsOf(reader, "a")).toEqual(texts)
    await reader.close()
    expect(await textsOf(log, "a")).toEqual(texts)
    const removed = transactions.map((transaction) => transaction.removed)
    expect(sumOf(removed)).toBeGreaterThan(PIECES)
    expect(mostOf(removed)).toBeLessThan(REMOVED_MAX)
    expect(await recordsOf(folder)).toBeLessThan(6)
    await log.close()
  })

  test("is deleted after the log was closed meanwhile and opened again", async () => {
    const folder = temporaryFolder()
    const first = lmdbLog(folder)
    await grow(first, "k")
    await first.append("a", remove("k"), { retention })
    await first.close()
    expect(await recordsOf(folder)).toBeGreaterThan(PIECES / 2)
    const log = lmdbLog(folder)
    expect(await textsOf(log, "a")).toEqual([""])
    expect(await recordsOf(folder)).toBeLessThan(6)
    await log.close()
  })

  test("may be created anew and grow again before it is deleted", async () => {
    const folder = temporaryFolder()
    const log = lmdbLog(folder)
    await grow(log, "k")
    await Promise.all([
      log.append("a", put("k", "a"), { retention }),
      log.append("a", extend("k"), { retention }),
      log.append("a", remove("k"), { retention }),
      log.append("a", put("k", "b"), { retention }),
      log.append("a", extend("k"), { retention }),
    ])
    const reader = lmdbLog(folder, { readOnly: true })
    for (const each of [reader, log]) expect(await textsOf(each, "a")).toEqual(["bx"])
    await reader.close()
    await log.close()
  })
})

describe("what a collection of the LMDB log retains no more", () => {
  test.each([
    ["facts", (text: string) => fact(text)],
    ["keys", (text: string) => put(text, text)],
  ])("is trimmed in turns, before the append is acknowledged (%s)", async (collection, operation) => {
    const log = lmdbLog(temporaryFolder())
    const texts = Array.from({ length: 5_000 }, (_, index) => `${index}`)
    await Promise.all(texts.map((text) => log.append("a", operation(text), { retention })))
    const transactions = observed()
    await log.append("a", operation("last"), { retention: { ...retention, entries: 2 } })
    expect(await textsOf(log, "a")).toEqual(["4999", "last"])
    expect((await log.head("a")).floors).toEqual({ [collection]: 4_999 })
    expect(transactions.length).toBeGreaterThanOrEqual(4)
    expect(mostOf(transactions.map(({ removed }) => removed))).toBeLessThan(REMOVED_MAX)
    await log.close()
  })
})

describe("the idempotency keys of an LMDB log", () => {
  const journalled = (index: number): Journalled => ({
    dedupe: once(`${index}`),
    account: undefined,
    offset: index,
    at: 0,
  })

  test("are read in steps", () => {
    const [chunks, perChunk] = [500, 20]
    let read = 0
    const journal = {
      chunk: (chunk: number) => {
        read++
        const first = (chunk - 1) * perChunk
        const found = Array.from({ length: perChunk }, (_, index) => journalled(first + index))
        return { journalled: found, before: chunk - 1 }
      },
    }
    const steps = idempotencyKeysOf(journal, { channel: 1, chunk: chunks, nowMs: 1 })
    let step = steps.next()
    let count = 1
    for (let before = 0; step.done !== true; count++) {
      expect(read - before).toBeLessThanOrEqual(CHUNKS_PER_STEP)
      before = read
      step = steps.next()
    }
    expect(step.value.size).toBe(chunks * perChunk)
    expect(step.value.find(once("7"), 1)).toBe(7)
    expect(count).toBeGreaterThan(chunks / CHUNKS_PER_STEP + (chunks * perChunk) / KEYS_PER_STEP - 2)
  })

  test("hold up the appends of their channel alone, and keep their order", async () => {
    const folder = temporaryFolder()
    const keys = Array.from({ length: 5_000 }, (_, index) => `${index}`)
    const append = (log: Log, channel: string, key: string) =>
      log.append(channel, fact(key), { retention, dedupe: once(key) })
    const first = lmdbLog(folder)
    await Promise.all(keys.map((key) => append(first, "a", key)))
    await first.close()

    const log = lmdbLog(folder, { channelsInMemoryMax: 1 })
    const settled: string[] = []
    const note = (name: string) => () => settled.push(name)
    const appends = [
      append(log, "a", "0").then(note("repetition")),
      log.append("a", fact("plain"), { retention }).then(note("plain")),
      append(log, "a", "new").then(note("new")),
      append(log, "b", "other").then(note("other channel")),
    ]
    for (const channel of ["c", "d"]) await log.head(channel)
    await Promise.all(appends)
    expect(settled).toEqual(["other channel", "repetition", "plain", "new"])
    const range = { collection: "facts", before: Infinity, entriesMax: 2, bytesMax: 1_000 }
    const { entries } = await log.readBack("a", range)
    expect(entries.map(({ body }) => Buffer.from(body).toString())).toEqual(["new", "plain"])
    expect((await append(log, "a", "4999")).status).toBe("duplicate")
    await log.close()
  })

  test("are read before the log is closed, for the appends that wait for them", async () => {
    const folder = temporaryFolder()
    const append = (log: Log, key: string) => log.append("a", fact(key), { retention, dedupe: once(key) })
    const first = lmdbLog(folder)
    await Promise.all(Array.from({ length: 3_000 }, (_, index) => append(first, `${index}`)))
    await first.close()
    const log = lmdbLog(folder)
    const repetition = append(log, "1")
    await log.close()
    expect(await repetition).toMatchObject({ status: "duplicate", position: { offset: 2 } })
  })
})

test("the LMDB log spreads appends to many channels over several transactions", async () => {
  const log = lmdbLog(temporaryFolder())
  const transactions = observed()
  const channels = Array.from({ length: 2_000 }, (_, index) => `${index}`)
  await Promise.all(channels.map((channel) => log.append(channel, fact("1"), { retention })))
  expect(sumOf(transactions.map(({ added }) => added))).toBe(channels.length)
  expect(mostOf(transactions.map(({ added }) => added))).toBeLessThan(400)
  await log.close()
})
