import type { Entry } from "../../log/entry.ts"
import type { Head, Log } from "../../log/log.ts"
import { type Seeded, seeded } from "../seeded.ts"
import { assert, assertEqual, assertRejects } from "./assert.ts"
import type { Check, LogCheck, LogUnderTest } from "./fixture.ts"
import { Model } from "./model.ts"
import {
  COLLECTIONS,
  EVENTS,
  LEASE_MS,
  MESSAGES,
  randomOperation,
  randomOptions,
  randomSetting,
  type Setting,
  STATE,
  STATE_KEYS,
} from "./model-dice.ts"
import { AT } from "./operations.ts"
import { readAll, readBackAll } from "./pages.ts"
import { assertChained, type Watcher, watch } from "./watcher.ts"

const STEPS = 400
const CHANNELS = ["one", "two"]

/** Compares the log with a naive model of one, over a random run of operations per seed. */
export function modelChecks(check: Check, seeds: readonly number[]): LogCheck[] {
  return seeds.map((seed) =>
    check(`a random run does what the model does (seed ${seed})`, async (log, under) => {
      const run = new ModelRun(seeded(seed), log, under)
      await run.watchAll()
      for (let step = 0; step < STEPS; step++) await run.step()
      await run.end()
    }),
  )
}

class ModelRun {
  readonly #dice: Seeded
  readonly #under: LogUnderTest
  readonly #setting: Setting
  readonly #models = new Map(CHANNELS.map((channel) => [channel, new Model()]))
  readonly #watchers = new Map<string, Watcher>()
  #log: Log
  #nowMs = AT
  /** By the clock of leases. */
  #elapsedMs = 0

  constructor(dice: Seeded, log: Log, under: LogUnderTest) {
    this.#dice = dice
    this.#log = log
    this.#under = under
    this.#setting = randomSetting(dice, under.advance !== undefined)
  }

  async watchAll(): Promise<void> {
    for (const channel of CHANNELS) this.#watchers.set(channel, await watch(this.#log, channel))
  }

  async step(): Promise<void> {
    const dice = this.#dice
    this.#nowMs += dice.between(0, 49)
    await this.#disturb()
    const channel = dice.pick(CHANNELS)
    await this.#settle(channel)
    const kind = dice.between(0, 99)
    if (kind < 75) await this.#append(channel)
    else await this.#compare(channel)
  }

  async end(): Promise<void> {
    for (const [channel, model] of this.#models) {
      await this.#settle(channel)
      await this.#compare(channel)
      const watcher = this.#watchers.get(channel)
      if (watcher === undefined) continue
      await watcher.until(model.appended.at(-1))
      assertEqual(watcher.entries, model.appended, "what arrived")
      assertChained(watcher.batches, model.appended, model.bases)
    }
  }

  /** Opens the log again, or lets leases end. */
  async #disturb(): Promise<void> {
    const { reopen, advance } = this.#under
    if (reopen !== undefined && this.#dice.chance(0.01)) {
      this.#log = await reopen()
      this.#watchers.clear()
    }
    if (advance !== undefined && this.#dice.chance(0.1)) {
      const ms = this.#dice.between(1, LEASE_MS)
      await advance(ms)
      this.#elapsedMs += ms
    }
  }

  /** Logs may be ahead with what is due by the time of another channel, so both trim before they are compared. */
  async #settle(channel: string): Promise<void> {
    const model = this.#models.get(channel) as Model
    const { retentions } = this.#setting
    const isTimed = Object.values(retentions).some(
      ({ forMs, removalsForMs }) => forMs < Infinity || removalsForMs < Infinity,
    )
    if (isTimed || this.#dice.chance(0.1)) {
      await this.#log.trim(channel, retentions, this.#nowMs)
      model.trim(retentions, this.#nowMs)
    }
    await this.#checkHead(channel, model)
  }

  async #checkHead(channel: string, model: Model): Promise<void> {
    const head = await this.#log.head(channel)
    await this.#forgetRemovals(channel, model, head)
    model.checkHead(head, this.#nowMs)
  }

  /** A log may forget removals before their time, if the floor says so. */
  async #forgetRemovals(channel: string, model: Model, { floors }: Head): Promise<void> {
    for (const name of [MESSAGES, STATE]) {
      const collection = model.collection(name)
      const doubtful = collection.removalsUpTo(floors[name] ?? 0)
      if (doubtful.length === 0) continue
      const read = await readAll(this.#log, channel, { collections: [name] })
      const known = new Set(read.map(({ key }) => key))
      for (const key of doubtful) {
        if (known.has(key) || (await this.#log.find(channel, name, key)) !== undefined) continue
        collection.forget(key)
      }
    }
  }

  async #append(channel: string): Promise<void> {
    const model = this.#models.get(channel) as Model
    const operation = randomOperation(this.#dice, model, this.#setting, this.#nowMs)
    const options = randomOptions(this.#dice, model, this.#setting, operation)
    const expected = model.expect(operation, options, this.#elapsedMs)
    const outcome = this.#log.append(channel, operation, options)
    const what = `${operation.operation} ${operation.key ?? ""} ${JSON.stringify(options.condition ?? {})}`
    if ("code" in expected) {
      await assertRejects(outcome, expected.code, what)
    } else {
      const { status, position, version } = await outcome
      assertEqual(
        [status, version],
        [expected.status, "version" in expected ? expected.version : undefined],
        what,
      )
      if ("offset" in expected) assertEqual(position.offset, expected.offset, `the offset of ${what}`)
      if (status === "appended" || status === "unchanged") {
        model.apply(operation, options, position.offset, status === "appended", this.#elapsedMs)
      }
    }
    await this.#checkHead(channel, model)
  }

  async #compare(channel: string): Promise<void> {
    const model = this.#models.get(channel) as Model
    await this.#compareRead(channel, model)
    await this.#compareReadBack(channel, model)
    const key = this.#dice.pick(STATE_KEYS)
    assertEqual(
      await this.#log.find(channel, STATE, key),
      model.collection(STATE).find(key),
      `the find of ${key}`,
    )
    const count = this.#dice.between(0, 11)
    const after = await this.#log.offsetOfLast(channel, EVENTS, count)
    const { facts, floor } = model.collection(EVENTS)
    assert(after >= floor, `offsetOfLast ${after} lies below the floor ${floor}`)
    const behind = facts.filter(({ offset }) => offset > after).length
    assertEqual(behind, Math.min(count, facts.length), `how many stand behind offsetOfLast(${count})`)
  }

  async #compareRead(channel: string, model: Model): Promise<void> {
    const dice = this.#dice
    const ends = [dice.between(0, model.top), dice.between(0, model.top)].sort((a, b) => a - b)
    const after = dice.chance(0.5) ? 0 : (ends[0] ?? 0)
    const through = dice.chance(0.5) ? Number.MAX_SAFE_INTEGER : (ends[1] ?? 0)
    const select = dice.pick(["all", "fold"] as const)
    const limits = { entriesMax: dice.pick([1, 2, 5, 1_000]), bytesMax: dice.pick([1, 40, 1e6]) }
    const collections = dice.chance(0.7) ? undefined : COLLECTIONS.filter(() => dice.chance(0.5))
    const given = { after, through, select, ...(collections && { collections }) }
    const what = `${select} of (${after}, ${through}] by ${limits.entriesMax} and ${limits.bytesMax}`
    const spanned = (from: number, to: number): Entry[] =>
      (collections ?? COLLECTIONS)
        .flatMap((name) => model.collection(name).read({ after: from, through: to, select }))
        .sort((a, b) => a.offset - b.offset)
    const read = await readAll(this.#log, channel, { ...given, ...limits }, ({ entries, next }, from) => {
      if (select === "all") assertEqual(entries.map(settled), spanned(from, next).map(settled), what)
    })
    if (select === "fold") assertEqual(read.map(settled), spanned(after, through).map(settled), what)
  }

  async #compareReadBack(channel: string, model: Model): Promise<void> {
    const dice = this.#dice
    const collection = dice.pick(COLLECTIONS)
    const before = dice.chance(0.5) ? Number.MAX_SAFE_INTEGER : dice.between(0, model.top + 1)
    const limits = { entriesMax: dice.pick([1, 2, 5, 1_000]), bytesMax: dice.pick([1, 40, 1e6]) }
    const read = await readBackAll(this.#log, channel, { collection, before, ...limits })
    assertEqual(read, model.collection(collection).readBack(before), `${collection} back from ${before}`)
  }
}

/** Of a value as it was earlier, the port does not say of when time and version are. */
function settled(entry: Entry): Entry {
  return entry.operation === "append" ? entry : { ...entry, at: 0, version: 0 }
}
