import type { Entry } from "../../../src/log/entry.ts"
import type { Batch, Log } from "../../../src/log/log.ts"
import type { AppendOptions, Operation, Outcome } from "../../../src/log/operation.ts"
import { memoryLog } from "../../../src/logs/memory/index.ts"
import type { LogUnderTest } from "../../../src/testing/log-contract.ts"

/** A log that is wrong in one way, and the check that has to find it. */
export interface BrokenLog {
  readonly foundBy: string
  readonly make: () => LogUnderTest
}

export type BrokenLogs = Readonly<Record<string, BrokenLog>>

/** A memory log by a clock that only the checks advance. */
export function soundLog(): LogUnderTest & { readonly now: () => number } {
  let nowMs = Date.UTC(2030, 0, 1)
  const now = () => nowMs
  const log = memoryLog({ onWatcherError: () => undefined, now })
  const advance = async (ms: number) => {
    nowMs += ms
  }
  return { log, now, advance, destroy: () => log.close() }
}

/** A log that does what the memory log does, but for what is replaced. */
export function broken(foundBy: string, wrap: (log: Log, now: () => number) => Partial<Log>): BrokenLog {
  return brokenAtOnce(foundBy, (log, now) => inTurn({ ...log, ...wrap(log, now) }))
}

/** The same for a log that is wrong in how it orders or ends its appends. */
export function brokenAtOnce(
  foundBy: string,
  wrap: (log: Log, now: () => number) => Partial<Log>,
): BrokenLog {
  const make = () => {
    const { now, ...sound } = soundLog()
    return { ...sound, log: { ...sound.log, ...wrap(sound.log, now) } }
  }
  return { foundBy, make }
}

/** Carries out each append when the one before has settled, so that what is replaced may take its time. */
function inTurn(log: Log): Log {
  let last: Promise<unknown> = Promise.resolve()
  return {
    ...log,
    append: (...args) => {
      const outcome = last.then(() => log.append(...args))
      last = outcome.catch(() => undefined)
      return outcome
    },
    close: async () => {
      await last
      await log.close()
    },
  }
}

/** What an operation is made of when it reaches the log. */
export function operationsOf(log: Log, change: (operation: Operation) => Operation): Partial<Log> {
  return { append: (channel, operation, options) => log.append(channel, change(operation), options) }
}

export function optionsOf(
  log: Log,
  change: (options: AppendOptions, operation: Operation) => AppendOptions,
): Partial<Log> {
  return {
    append: (channel, operation, options) => log.append(channel, operation, change(options, operation)),
  }
}

export function outcomesOf(log: Log, change: (outcome: Outcome) => Outcome): Partial<Log> {
  return { append: async (...args) => change(await log.append(...args)) }
}

/** All entries that come out of a log. */
export function entriesOf(log: Log, change: (entry: Entry) => Entry): Partial<Log> {
  return {
    read: async (...args) => {
      const page = await log.read(...args)
      return { ...page, entries: page.entries.map(change) }
    },
    readBack: async (...args) => {
      const page = await log.readBack(...args)
      return { ...page, entries: page.entries.map(change) }
    },
    find: async (...args) => {
      const entry = await log.find(...args)
      return entry && change(entry)
    },
    ...batchesOf(log, (batch) => [{ ...batch, entries: batch.entries.map(change) }]),
  }
}

export function batchesOf(log: Log, change: (batch: Batch) => readonly Batch[]): Partial<Log> {
  return {
    watch: (channel, listener) =>
      log.watch(channel, (batch) => {
        for (const changed of change(batch)) listener(changed)
      }),
  }
}

/** The pages of a forward read. */
export function pagesOf(
  log: Log,
  change: (entries: readonly Entry[], channel: string) => readonly Entry[] | Promise<readonly Entry[]>,
): Partial<Log> {
  return {
    read: async (channel, range) => {
      const page = await log.read(channel, range)
      return { ...page, entries: await change(page.entries, channel) }
    },
  }
}

export async function allOf(log: Log, channel: string): Promise<readonly Entry[]> {
  const range = { after: 0, through: Infinity, select: "all", entriesMax: 1e9, bytesMax: 1e9 } as const
  return (await log.read(channel, range)).entries
}

export const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1")
