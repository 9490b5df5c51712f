import type { AppendOptions, Batch, Dedupe, Log, Operation } from "holdfast/testing"
import type { InjectedBug } from "../injected-bug.ts"

/** What comes again under the same idempotency key is appended again. */
export function skipsTheDedupe(): InjectedBug {
  return bends((log) => ({
    append: (channel, operation, { dedupe: _, ...options }) => log.append(channel, operation, options),
  }))
}

/** A flood of idempotency keys drives out those of others. */
export function evictsIdempotencyKeys(): InjectedBug {
  const KEYS_MAX = 3
  return bends((log) => {
    const remembered = new Map<string, string[]>()
    let evictions = 0
    const lives = new Map<string, number>()
    const remember = (channel: string, dedupe: Dedupe): Dedupe => {
      const keys = remembered.get(channel) ?? []
      remembered.set(channel, keys)
      const place = `${channel} ${dedupe.key}`
      if (!keys.includes(dedupe.key)) {
        // the log has it still, under the name of its life before
        lives.set(place, ++evictions)
        keys.push(dedupe.key)
        if (keys.length > KEYS_MAX) keys.shift()
      }
      return { ...dedupe, key: `${lives.get(place)} ${dedupe.key}` }
    }
    return {
      append: (channel, operation, options) => {
        const { dedupe } = options
        if (dedupe === undefined) return log.append(channel, operation, options)
        return log.append(channel, operation, { ...options, dedupe: remember(channel, dedupe) })
      },
    }
  })
}

/** What one user has published counts for all. */
export function sharesAQuota(): InjectedBug {
  return bends((log) => ({
    append: (channel, operation, { account, ...options }) =>
      log.append(channel, operation, {
        ...options,
        ...(account !== undefined && { account: { ...account, name: "all" } }),
      }),
  }))
}

/** Keeps one event less than it should. */
export function trimsOneTooMany(): InjectedBug {
  return bends((log) => ({
    append: (channel, operation, { retention, ...options }) =>
      log.append(channel, operation, {
        ...options,
        retention: { ...retention, entries: retention.entries - 1 },
      }),
  }))
}

/** Of two writes with versions, the one that comes last wins. */
export function acceptsALowerVersion(): InjectedBug {
  return bends((log) => ({
    append: async (channel, operation, options) => {
      const outcome = await log.append(channel, operation, options)
      const { version: _, ...condition } = options.condition ?? {}
      if (outcome.version === undefined) return outcome
      return log.append(channel, operation, {
        ...options,
        condition: { ...condition, version: outcome.version },
      })
    },
  }))
}

/** Takes a lease for over that goes on. */
export function endsALeaseTooEarly(): InjectedBug {
  return bends((log) => ({
    append: (channel, operation, options) => {
      const { lapsed: _, ...condition } = options.condition ?? {}
      return log.append(channel, operation, { ...options, condition })
    },
  }))
}

/** At a crash it loses the last entry of each channel, and gives the offset to another: the same life, another past. */
export function reusesAnOffset(): InjectedBug {
  let loseTail = () => {}
  return {
    log: (make) => {
      let log = make()
      let journal: (readonly [channel: string, operation: Operation, options: AppendOptions])[] = []
      const watched = new Set<readonly [channel: string, listener: (batch: Batch) => void]>()
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
        watch: async (...watching) => {
          watched.add(watching)
          const unwatch = await log.watch(...watching)
          return () => {
            watched.delete(watching)
            unwatch()
          }
        },
        head: (channel) => log.head(channel),
        read: (channel, range) => log.read(channel, range),
        readBack: (channel, range) => log.readBack(channel, range),
        find: (channel, collection, key) => log.find(channel, collection, key),
        offsetOfLast: (channel, collection, count) => log.offsetOfLast(channel, collection, count),
        trim: (channel, retention, nowMs) => log.trim(channel, retention, nowMs),
        close: () => log.close(),
      }
    },
    crash: () => loseTail(),
  }
}

function bends(changed: (log: Log) => Partial<Log>): InjectedBug {
  return {
    log: (make) => {
      const log = make()
      return { ...log, ...changed(log) }
    },
  }
}
