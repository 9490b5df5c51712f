import { randomBytes } from "node:crypto"
import type { Head, LogKeep, Page, Range } from "../../log/log.ts"
import type { Connection } from "./connection.ts"
import { failureOf, isPassing } from "./failure.ts"
import { decodeEntries } from "./frames.ts"
import type { Place } from "./keys.ts"
import type { RedisLogSettings } from "./options.ts"
import { packBatch } from "./packing.ts"
import type { Partitions } from "./partitions.ts"
import { readScript, runScript, writeScript } from "./scripts.ts"

/** What the write script makes of a draft. */
export const OUTCOME = { appended: 0, duplicate: 1, conflict: 2, full: 3 } as const

export interface Outcome {
  readonly code: number
  readonly offset: number
}

export interface Written {
  readonly head: Head
  readonly outcomes: readonly Outcome[]
}

/** A batch of drafts as the script takes them. */
export interface Batch {
  readonly number: number
  readonly nowMs: number
  readonly keep: Required<LogKeep>
  /** As `packDraft` makes them. */
  readonly drafts: readonly Buffer[]
}

const NO_EPOCH = 2
const KEEP_ALL = { events: Infinity, forMs: Infinity, bytes: Infinity } as const

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

  /** One attempt; `handleSent` is told when it is no more certain that nothing happened. @throws whatever the connection or the script says */
  async write(place: Place, batch: Batch, untilMs: number, handleSent?: () => void): Promise<Written> {
    // what it says of the server has to be about the one that it goes to
    await this.#connection.session(untilMs)
    const known = this.#partitions.knowledge(place.partition)
    const packed = packBatch(batch, known, this.#node, this.#connection.isSynced, this.#settings)
    // Never the same one twice: an attempt that was not answered may have begun it, and what it began may be lost again.
    const args = [newEpoch(), known.epoch, place.live, packed]
    const answer = await runScript(this.#connection, writeScript, place, args, untilMs, handleSent)
    const [, epoch, generation, top, headTop, floor, ...results] = answer as number[]
    const head = { epoch: String(epoch), top: headTop as number, floor: floor as number }
    this.#partitions.settle(place.partition, {
      epoch: head.epoch,
      generation: generation as number,
      top: top as number,
    })
    const outcomes: Outcome[] = []
    for (let index = 0; index < results.length; index += 2) {
      outcomes.push({ code: results[index] as number, offset: results[index + 1] as number })
    }
    return { head, outcomes }
  }

  /** Compares what this node knows with what is there; an epoch begins if it does not fit. */
  verify(place: Place): Promise<Head> {
    return this.trim(place, KEEP_ALL, 0)
  }

  async trim(place: Place, keep: Required<LogKeep>, nowMs: number): Promise<Head> {
    const { head } = await this.#patiently((untilMs) =>
      this.write(place, { number: 0, nowMs, keep, drafts: [] }, untilMs),
    )
    return head
  }

  async head(place: Place): Promise<Head> {
    return (await this.#read(place, ["head", "0", "0", "0", "0"])).head
  }

  async offsetOfLast(place: Place, count: number): Promise<number> {
    return (await this.#read(place, ["last", String(Math.min(count, 1e15)), "0", "0", "0"])).next
  }

  read(place: Place, { after, through, select, entriesMax, bytesMax }: Range): Promise<Page> {
    const numbers = [after, through, entriesMax, bytesMax].map((number) => String(Math.min(number, 2 ** 53)))
    return this.#read(place, [select, ...numbers])
  }

  async #read(place: Place, args: readonly string[]): Promise<Page> {
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
      const [, epoch, , , top, floor, next, entries] = answer as number[]
      return {
        head: { epoch: String(epoch), top: top as number, floor: floor as number },
        entries: decodeEntries(entries as unknown as Buffer),
        next: next as number,
      }
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
    for (let delayMs = 20; ; delayMs = Math.min(2 * delayMs, 500)) {
      try {
        return await attempt(untilMs)
      } catch (error) {
        if (!isPassing(error) || Date.now() + delayMs > untilMs) throw failureOf(error)
        await new Promise((resolve) => setTimeout(resolve, delayMs))
      }
    }
  }
}

/** 96 bits, in characters that need no escaping anywhere. */
function newEpoch(): string {
  return randomBytes(12).toString("hex")
}
