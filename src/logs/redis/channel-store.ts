import { randomBytes } from "node:crypto"
import type { Entry } from "../../log/entry.ts"
import type { BackPage, BackRange, Head, Page, Range } from "../../log/log.ts"
import type { Retention } from "../../log/operation.ts"
import type { Connection } from "./connection.ts"
import { failureOf, isPassing } from "./failure.ts"
import { decodeCollections, decodeEntries } from "./frames.ts"
import type { Place } from "./keys.ts"
import type { RedisLogSettings } from "./options.ts"
import { decodeOutcomes, type ScriptOutcome } from "./outcomes.ts"
import { type BatchFields, packBatch, packRange, type ReadRange } from "./packing.ts"
import type { Partitions } from "./partitions.ts"
import { retry } from "./retry.ts"
import { readScript, runScript, writeScript } from "./scripts.ts"
import { encodeText } from "./text.ts"

export interface Written {
  readonly epoch: string
  /** Where the channel stands. */
  readonly top: number
  readonly outcomes: readonly ScriptOutcome[]
}

interface Answer {
  readonly head: Head
  /** Whether the channel has keys of its own. */
  readonly isKept: boolean
  readonly entries: readonly Entry[]
  readonly next: number
}

const NO_EPOCH = 2
const NOTHING = { after: 0, through: 0, entriesMax: 0, bytesMax: 0 } as const
const CHECK: BatchFields = { number: 0, nowMs: 0, pinMs: 0, retentions: new Map(), operations: [] }
/** How long a channel that is watched keeps its head behind each `trim`, which the hub calls each minute or so. */
const PIN_MS = 15 * 60_000

/** Speaks to the scripts: what goes in, what comes out, and what the node learns by it. */
export class ChannelStore {
  readonly #connection: Connection
  readonly #partitions: Partitions
  readonly #settings: RedisLogSettings
  /** Tells this log's batches from those of all others, also of the same process. */
  readonly #node = randomBytes(8)

  constructor(connection: Connection, partitions: Partitions, settings: RedisLogSettings) {
    this.#connection = connection
    this.#partitions = partitions
    this.#settings = settings
  }

  /**
   * One attempt; `handleSent` is called when it is no more certain that nothing happened.
   * @throws whatever the connection or the script says
   */
  async write(place: Place, batch: BatchFields, untilMs: number, handleSent?: () => void): Promise<Written> {
    // what it says of the server has to be about the one that it goes to
    await this.#connection.session(untilMs)
    const known = this.#partitions.knowledge(place.partition)
    const packed = packBatch(batch, known, this.#node, this.#connection.isSynced, this.#settings)
    // Never the same one twice: an attempt that was not answered may have begun it, and what it began may be lost again.
    const args = [newEpoch(), known.epoch, place.live, packed]
    const answer = await runScript(this.#connection, writeScript, place, args, untilMs, handleSent)
    const [, epochBytes, generation, partitionTop, top, , outcomes] = answer as number[]
    const epoch = String(epochBytes)
    this.#partitions.settle(place.partition, {
      epoch,
      generation: generation as number,
      top: partitionTop as number,
    })
    return { epoch, top: top as number, outcomes: decodeOutcomes(outcomes as unknown as Buffer) }
  }

  /** Compares what this node knows with what is there; an epoch begins if it does not fit. */
  verify(place: Place): Promise<Written> {
    return this.#maintain(place, CHECK)
  }

  /** `isWatched`: the channel keeps its head for a time, also when nothing is left in it. */
  async trim(
    place: Place,
    retention: Readonly<Record<string, Retention>>,
    nowMs: number,
    isWatched: boolean,
  ): Promise<void> {
    const retentions = new Map(Object.entries(retention))
    await this.#maintain(place, { ...CHECK, nowMs, retentions, pinMs: isWatched ? PIN_MS : 0 })
  }

  async head(place: Place, isWatched: boolean): Promise<Head> {
    const { head, isKept } = await this.#read(place, "head", NOTHING)
    if (isKept || !isWatched) return head
    await this.trim(place, {}, Date.now(), true)
    return (await this.#read(place, "head", NOTHING)).head
  }

  async offsetOfLast(place: Place, collection: string, count: number): Promise<number> {
    return (await this.#read(place, "last", { ...NOTHING, after: count, collections: [collection] })).next
  }

  async find(place: Place, collection: string, key: string): Promise<Entry | undefined> {
    return (await this.#read(place, "find", { ...NOTHING, collections: [collection] }, key)).entries[0]
  }

  async read(place: Place, range: Range): Promise<Page> {
    const { after, through, collections } = range
    // an empty choice would stand for all
    if (collections?.length === 0) {
      const { head } = await this.#read(place, "head", NOTHING)
      return { head, entries: [], next: Math.max(after, Math.min(through, head.top)) }
    }
    const { head, entries, next } = await this.#read(place, range.select, range)
    return { head, entries, next }
  }

  async readBack(place: Place, { collection, before, entriesMax, bytesMax }: BackRange): Promise<BackPage> {
    const range = { after: 0, through: before, entriesMax, bytesMax, collections: [collection] }
    const { head, entries, next } = await this.#read(place, "back", range)
    return { head, entries, before: next === 0 ? undefined : next }
  }

  #maintain(place: Place, batch: BatchFields): Promise<Written> {
    return this.#patiently((untilMs) => this.write(place, batch, untilMs))
  }

  async #read(place: Place, what: string, range: ReadRange, key = ""): Promise<Answer> {
    const args = [what, encodeText(key), packRange(range)]
    for (;;) {
      let seenBefore = 0
      const answer = await this.#patiently(async (untilMs) => {
        await this.#connection.session(untilMs)
        // While the answer is on its way, others may be told of what came after it: that is no contradiction.
        seenBefore = this.#partitions.knowledge(place.partition).top
        return runScript(this.#connection, readScript, place, args, untilMs)
      })
      // No epoch has begun here, or it does not fit what was seen before: then the write script has the word.
      if (answer[0] === NO_EPOCH || !this.#fits(place, answer, seenBefore)) {
        await this.verify(place)
        continue
      }
      return decodeAnswer(answer)
    }
  }

  #fits({ partition }: Place, answer: readonly unknown[], seenBefore: number): boolean {
    const [, epoch, generation, top] = answer as number[]
    const seen = { epoch: String(epoch), generation: generation as number, top: top as number }
    return this.#partitions.note(partition, seen, seenBefore)
  }

  /** Repeats what has failed in passing, for the time that the options grant. */
  async #patiently<T>(attempt: (untilMs: number) => Promise<T>): Promise<T> {
    const untilMs = Date.now() + this.#settings.waitMs
    try {
      return await retry(
        () => attempt(untilMs),
        (error, pauseMs) => isPassing(error) && Date.now() + pauseMs <= untilMs,
      )
    } catch (error) {
      throw failureOf(error)
    }
  }
}

function decodeAnswer(answer: readonly unknown[]): Answer {
  const [, epoch, , , top, base, isKept, collections, next, entries] = answer as number[]
  const { names, floors } = decodeCollections(collections as unknown as Buffer, base as number)
  return {
    head: { epoch: String(epoch), top: top as number, base: base as number, floors },
    isKept: isKept === 1,
    entries: decodeEntries(entries as unknown as Buffer, names),
    next: next as number,
  }
}

/** 96 bits, in characters that need no escaping anywhere. */
function newEpoch(): string {
  return randomBytes(12).toString("hex")
}
