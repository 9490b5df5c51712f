import type { Log } from "holdfast/server"
import { EVENTS } from "./app.ts"

/** What can be wrong with a node's log: each has to be found by the account, or the account is worth nothing. */
export const defects = {
  "acknowledges before it appends": (log) => {
    let held: (() => void)[] = []
    return {
      append: async (channel, operation, options) => {
        if (operation.collection !== EVENTS) return log.append(channel, operation, options)
        const { epoch, top } = await log.head(channel)
        held.push(() => void log.append(channel, operation, options).catch(() => undefined))
        if (held.length === 10) {
          for (const append of held) append()
          held = []
        }
        return { status: "appended", position: { epoch, offset: top + held.length } }
      },
    }
  },

  "forgets idempotency keys": (log) => ({
    append: (channel, operation, { dedupe: _, ...options }) => log.append(channel, operation, options),
  }),

  "appends twice": (log) => {
    const isTurn = everyNth(20)
    return {
      append: async (channel, operation, options) => {
        const outcome = await log.append(channel, operation, options)
        const { dedupe: _, ...again } = options
        if (operation.collection === EVENTS && isTurn()) await log.append(channel, operation, again)
        return outcome
      },
    }
  },

  "loses one of what is told": (log) => {
    const isTurn = everyNth(20)
    return {
      watch: (channel, listener) =>
        log.watch(channel, (batch) => {
          const entries = batch.entries.filter(({ collection }) => collection !== EVENTS || !isTurn())
          if (entries.length > 0) listener({ ...batch, entries })
        }),
    }
  },

  "tells another's contents": (log) => {
    let before: Uint8Array | undefined
    const isTurn = everyNth(20)
    return {
      watch: (channel, listener) =>
        log.watch(channel, (batch) => {
          const entries = batch.entries.map((entry) => {
            if (entry.collection !== EVENTS) return entry
            const body = (isTurn() ? before : undefined) ?? entry.body
            before = entry.body
            return { ...entry, body }
          })
          listener({ ...batch, entries })
        }),
    }
  },

  "hides a new epoch": (log) => {
    const epochs = new Map<string, string>()
    const first = (channel: string, epoch: string) => {
      const known = epochs.get(channel) ?? epoch
      epochs.set(channel, known)
      return known
    }
    return {
      append: async (channel, operation, options) => {
        const { position, ...outcome } = await log.append(channel, operation, options)
        return { ...outcome, position: { ...position, epoch: first(channel, position.epoch) } }
      },
      head: async (channel) => {
        const head = await log.head(channel)
        return { ...head, epoch: first(channel, head.epoch) }
      },
      read: async (channel, range) => {
        const page = await log.read(channel, range)
        return { ...page, head: { ...page.head, epoch: first(channel, page.head.epoch) } }
      },
      watch: (channel, listener) =>
        log.watch(channel, (batch) => listener({ ...batch, epoch: first(channel, batch.epoch) })),
    }
  },
} as const satisfies Record<string, (log: Log) => Partial<Log>>

export type Defect = keyof typeof defects

/** The log, with something wrong about it. */
export function defective(log: Log, defect: Defect): Log {
  // a log may be an object of a class, whose members a spread would miss
  const whole: Log = {
    shared: true,
    append: (...args) => log.append(...args),
    head: (...args) => log.head(...args),
    read: (...args) => log.read(...args),
    readBack: (...args) => log.readBack(...args),
    find: (...args) => log.find(...args),
    offsetOfLast: (...args) => log.offsetOfLast(...args),
    watch: (...args) => log.watch(...args),
    trim: (...args) => log.trim(...args),
    close: () => log.close(),
  }
  return { ...whole, ...defects[defect](log) }
}

function everyNth(n: number): () => boolean {
  let count = 0
  return () => ++count % n === 0
}
