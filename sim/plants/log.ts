import type { AppendOptions, Batch, Draft, Log } from "holdfast/testing"
import type { Plant } from "../plant.ts"

/** What comes again under the same idempotency key is appended again. */
export function skipsTheDedupe(): Plant {
  return {
    log: (make) => {
      const log = make()
      const append: Log["append"] = (channel, draft, { dedupe: _, ...options }) =>
        log.append(channel, draft, options)
      return { ...log, append }
    },
  }
}

/** Keeps one event less than it should. */
export function trimsOneTooMany(): Plant {
  return {
    log: (make) => {
      const log = make()
      const append: Log["append"] = (channel, draft, { keep, ...options }) =>
        log.append(channel, draft, { ...options, keep: { ...keep, events: keep.events - 1 } })
      return { ...log, append }
    },
  }
}

/** At a crash it loses the last entry of each channel, and gives the offset to another: the same life, another past. */
export function reusesAnOffset(): Plant {
  let loseTail = () => {}
  return {
    log: (make) => {
      let log = make()
      let journal: (readonly [channel: string, draft: Draft, options: AppendOptions])[] = []
      const watched: (readonly [channel: string, listener: (batch: Batch) => void])[] = []
      loseTail = () => {
        const last = new Map(journal.map(([channel], index) => [channel, index]))
        journal = journal.filter(([channel], index) => last.get(channel) !== index)
        log = make()
        for (const each of journal) void log.append(...each)
        for (const each of watched) void log.watch(...each)
      }
      return {
        append: (...entry) => {
          journal.push(entry)
          return log.append(...entry)
        },
        watch: (...watching) => {
          watched.push(watching)
          return log.watch(...watching)
        },
        head: (channel) => log.head(channel),
        read: (channel, range) => log.read(channel, range),
        offsetOfLast: (channel, count) => log.offsetOfLast(channel, count),
        trim: (channel, keep, nowMs) => log.trim(channel, keep, nowMs),
        close: () => log.close(),
      }
    },
    crash: () => loseTail(),
  }
}
