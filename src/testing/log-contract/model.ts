import type { Dedupe, Draft, Entry, Log, LogKeep, Range } from "../../log/log.ts"
import { type Seeded, seeded } from "../seeded.ts"
import { assert, assertEqual, assertRejects } from "./assert.ts"
import { AT, type Check, type LogCheck, readAll, readPage } from "./fixture.ts"
import { assertChained, watch } from "./watching.ts"

/** Compares the log with a naive model of one, over a random run of operations per seed. */
export function modelChecks(check: Check, seeds: readonly number[]): LogCheck[] {
  return seeds.map((seed) =>
    check(`a random run does what the model does (seed ${seed})`, async (log, { reopen }) => {
      const dice = seeded(seed)
      const keep = randomKeep(dice)
      const channels = ["one", "two"]
      const models = new Map(channels.map((channel) => [channel, new Model()]))
      const watching = new Map(
        await Promise.all(channels.map(async (channel) => [channel, await watch(log, channel)] as const)),
      )
      let current = log
      let nowMs = AT
      for (let step = 0; step < STEPS; step++) {
        nowMs += dice.between(0, 49)
        const channel = dice.pick(channels)
        const model = models.get(channel) as Model
        if (reopen !== undefined && dice.chance(0.01)) {
          current = await reopen()
          watching.clear()
        }
        await runStep(dice, current, channel, model, keep, nowMs)
      }
      for (const [channel, model] of models) {
        await model.check(dice, current, channel)
        await checkWatched(watching.get(channel), model)
      }
    }),
  )
}

const STEPS = 400

async function runStep(
  dice: Seeded,
  log: Log,
  channel: string,
  model: Model,
  keep: Required<LogKeep>,
  nowMs: number,
): Promise<void> {
  const kind = dice.between(0, 99)
  if (kind < 75) await model.append(log, channel, randomDraft(dice, nowMs), keep, randomDedupe(dice))
  else if (kind < 80) await model.trim(log, channel, keep, nowMs)
  else await model.check(dice, log, channel)
}

async function checkWatched(
  watching: Awaited<ReturnType<typeof watch>> | undefined,
  model: Model,
): Promise<void> {
  if (watching === undefined) return
  await watching.until(model.appended.at(-1))
  assertEqual(watching.entries, model.appended, "what was told")
  assertChained(watching.batches, model.appended)
}

/** A channel's log as the port describes it, without any thought to speed. */
class Model {
  /** All there ever was. */
  readonly appended: Entry[] = []
  readonly #known = new Map<
    string,
    { readonly fingerprint: string; readonly offset: number; readonly untilMs: number }
  >()
  readonly #trimmed = new Set<Entry>()

  get top(): number {
    return this.appended.at(-1)?.offset ?? 0
  }

  async append(
    log: Log,
    channel: string,
    draft: Draft,
    keep: Required<LogKeep>,
    dedupe?: Dedupe,
  ): Promise<void> {
    const known = dedupe === undefined ? undefined : this.#known.get(dedupe.key)
    const isKnown = known !== undefined && known.untilMs > draft.at
    const answer = log.append(channel, draft, dedupe === undefined ? { keep } : { keep, dedupe })
    if (isKnown && known.fingerprint !== dedupe?.fingerprint) {
      await assertRejects(answer, "idempotency_conflict", "a conflict")
      return
    }
    const { position, duplicate } = await answer
    assertEqual(duplicate, isKnown, "whether it is a duplicate")
    if (isKnown) {
      assertEqual(position.offset, known.offset, "the duplicate's offset")
      return
    }
    assert(position.offset > this.top, `offset ${position.offset} follows ${this.top}`)
    this.appended.push({ ...draft, offset: position.offset })
    if (dedupe !== undefined) {
      const { key, fingerprint, windowMs } = dedupe
      this.#known.set(key, { fingerprint, offset: position.offset, untilMs: draft.at + windowMs })
    }
    this.#trimEvents(keep, draft.at)
  }

  async trim(log: Log, channel: string, keep: Required<LogKeep>, nowMs: number): Promise<void> {
    await log.trim(channel, keep, nowMs)
    this.#trimEvents(keep, nowMs)
  }

  /** Compares heads and a read of a random range. */
  async check(dice: Seeded, log: Log, channel: string): Promise<void> {
    const head = await log.head(channel)
    assertEqual(head.top, this.top, "the top")
    this.#checkFloor(head.floor)
    const range: Partial<Range> = {
      after: dice.chance(0.5) ? 0 : dice.between(0, this.top + 2),
      through: dice.chance(0.5) ? Number.MAX_SAFE_INTEGER : dice.between(0, this.top + 2),
      select: dice.pick(["all", "fold"] as const),
      entriesMax: dice.pick([1, 2, 5, 1_000]),
      bytesMax: dice.pick([1, 40, 1e6]),
    }
    const expected = this.#retained(range, head.floor)
    if ((range.after ?? 0) > (range.through ?? 0)) {
      assertEqual((await readPage(log, channel, range)).entries, [], "an empty range")
    } else {
      const what = `${range.select} of (${range.after}, ${range.through}] by ${range.entriesMax}, the floor being ${head.floor}`
      const read = (await readAll(log, channel, range)).filter((entry) =>
        isOwed(entry, range.select, head.floor),
      )
      assertEqual(read, expected, what)
    }
    const count = dice.between(0, 11)
    const after = await log.offsetOfLast(channel, count)
    this.#checkOffsetOfLast(count, after, head.floor)
  }

  #trimEvents(keep: Required<LogKeep>, nowMs: number): void {
    const events = this.#events()
    let bytes = events.reduce((sum, { body }) => sum + body.length, 0)
    for (const [index, entry] of events.entries()) {
      const count = events.length - index
      if (count <= keep.events && bytes <= keep.bytes && entry.at >= nowMs - keep.forMs) return
      this.#trimmed.add(entry)
      bytes -= entry.body.length
    }
  }

  #events(): Entry[] {
    return this.appended.filter((entry) => entry.kind === "event" && !this.#trimmed.has(entry))
  }

  /** What nothing has superseded: the latest entry of each key. */
  #latest(): Entry[] {
    const latest = new Map<string, Entry>()
    for (const entry of this.appended) if (entry.kind !== "event") latest.set(identity(entry), entry)
    return [...latest.values()]
  }

  #retained({ after = 0, through = 0, select }: Partial<Range>, floor: number): Entry[] {
    const latest = this.#latest()
    const values = latest.filter(({ kind }) => kind === "set" || kind === "join")
    return (select === "fold" ? values : [...this.#events(), ...latest])
      .filter((entry) => entry.offset > after && entry.offset <= through && isOwed(entry, select, floor))
      .sort((a, b) => a.offset - b.offset)
  }

  #checkFloor(floor: number): void {
    const trimmed = Math.max(0, ...[...this.#trimmed].map(({ offset }) => offset))
    assert(floor >= trimmed, `the floor is ${floor}, but ${trimmed} was trimmed`)
    if (floor === trimmed) return
    const at = this.appended.find(({ offset }) => offset === floor)
    assert(at?.kind === "delete" || at?.kind === "left", `the floor ${floor} is no entry that was lost`)
  }

  #checkOffsetOfLast(count: number, after: number, floor: number): void {
    assert(after >= floor, `offsetOfLast ${after} lies below the floor ${floor}`)
    const events = this.#events().filter(({ offset }) => offset > floor)
    const found = events.filter(({ offset }) => offset > after).length
    assertEqual(found, Math.min(count, events.length), `how many events stand behind offsetOfLast(${count})`)
  }
}

/** A log owes what lies above its floor. What it still has below is its own affair, but for the fold, which is whole. */
function isOwed({ offset }: Entry, select: Range["select"] | undefined, floor: number): boolean {
  return select === "fold" || offset > floor
}

function identity({ kind, name, key }: Draft): string {
  return JSON.stringify([kind === "join" || kind === "left", name, key])
}

function randomKeep(dice: Seeded): Required<LogKeep> {
  return {
    events: dice.pick([3, 10, 100, Infinity]),
    forMs: dice.pick([500, 5_000, Infinity]),
    bytes: dice.pick([60, 400, Infinity]),
  }
}

function randomDraft(dice: Seeded, at: number): Draft {
  const kind = dice.pick(["event", "event", "event", "set", "set", "delete", "join", "left"] as const)
  const removes = kind === "delete" || kind === "left"
  const body = Uint8Array.from({ length: removes ? 0 : dice.between(0, 19) }, () => dice.between(0, 255))
  const isState = kind === "set" || kind === "delete"
  const name = kind === "event" ? "said" : isState ? dice.pick(["price", "pri"]) : ""
  return { kind, name, key: kind === "event" ? "" : dice.pick(["a", "b", "ce", "e", "cea"]), body, at }
}

function randomDedupe(dice: Seeded): Dedupe | undefined {
  if (dice.chance(0.5)) return undefined
  return {
    key: `key ${dice.between(0, 39)}`,
    fingerprint: dice.chance(0.9) ? "usual" : "other",
    windowMs: dice.pick([300, 1_000, 10_000]),
  }
}
