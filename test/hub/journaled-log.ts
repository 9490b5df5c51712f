import type { Batch, Log } from "../../src/log/log.ts"
import type { AppendOptions, Operation } from "../../src/log/operation.ts"
import { type MemoryLogOptions, memoryLog } from "../../src/logs/memory/index.ts"

type Append = readonly [channel: string, operation: Operation, options: AppendOptions]

/** A log that can lose what came last, as an engine whose disk was put back to what was on it before. It goes on in a new epoch. */
export function journaledLog(options: MemoryLogOptions = {}) {
  let lives = 1
  let log = memoryLog({ ...options, epoch: "e1" })
  let journal: Append[] = []
  const listeners = new Map<string, Set<(batch: Batch) => void>>()
  const follow = (channel: string) => {
    const life = lives
    return log.watch(channel, (batch) => {
      if (life === lives) for (const listener of [...(listeners.get(channel) ?? [])]) listener(batch)
    })
  }
  const append: Log["append"] = (...args) => {
    journal.push(args)
    return log.append(...args)
  }
  const watch: Log["watch"] = async (channel, listener) => {
    const those = listeners.get(channel) ?? new Set()
    if (!listeners.has(channel)) {
      listeners.set(channel, those)
      await follow(channel)
    }
    const own = (batch: Batch) => listener(batch)
    those.add(own)
    return () => {
      those.delete(own)
    }
  }
  return {
    log: {
      ...log,
      append,
      watch,
      head: (...args) => log.head(...args),
      read: (...args) => log.read(...args),
      readBack: (...args) => log.readBack(...args),
      find: (...args) => log.find(...args),
      offsetOfLast: (...args) => log.offsetOfLast(...args),
      trim: (...args) => log.trim(...args),
    } satisfies Log as Log,
    /** What there is now: `restore` goes back to it. */
    backUp: () => journal.length,
    async restore(count: number) {
      lives++
      log = memoryLog({ ...options, epoch: `e${lives}` })
      journal = journal.slice(0, count)
      for (const args of journal) await log.append(...args)
      for (const channel of listeners.keys()) await follow(channel)
    },
    /** Tells whoever follows something where it stands, as when connections are made anew. */
    async tellHeads() {
      for (const [channel, those] of listeners) {
        const { epoch, top } = await log.head(channel)
        for (const listener of [...those]) listener({ epoch, after: top, entries: [] })
      }
    },
  }
}
