import type { Draft, Log } from "holdfast/server"

/** What can be wrong with a node's log: each has to be found by the account, or the account is worth nothing. */
export const defects = {
  "acknowledges before it appends": (log) => {
    let held: (() => void)[] = []
    return {
      append: async (channel, draft, options) => {
        if (draft.kind !== "event") return log.append(channel, draft, options)
        const { epoch, top } = await log.head(channel)
        held.push(() => void log.append(channel, draft, options).catch(() => undefined))
        if (held.length === 10) {
          for (const append of held) append()
          held = []
        }
        return { position: { epoch, offset: top + held.length }, duplicate: false }
      },
    }
  },

  "forgets idempotency keys": (log) => ({
    append: (channel, draft, { dedupe: _, ...options }) => log.append(channel, draft, options),
  }),

  "appends twice": (log) => {
    const isTurn = everyNth(20)
    return {
      append: async (channel, draft, options) => {
        const appended = await log.append(channel, draft, options)
        const { dedupe: _, ...again } = options
        if (draft.kind === "event" && isTurn()) await log.append(channel, draft, again)
        return appended
      },
    }
  },

  "loses one of what is told": (log) => {
    const isTurn = everyNth(20)
    return {
      watch: (channel, listener) =>
        log.watch(channel, (batch) => {
          const entries = batch.entries.filter(({ kind }) => kind !== "event" || !isTurn())
          if (entries.length > 0) listener({ ...batch, entries })
        }),
    }
  },

  "tells another's contents": (log) => {
    let before: Draft["body"] | undefined
    const isTurn = everyNth(20)
    return {
      watch: (channel, listener) =>
        log.watch(channel, (batch) => {
          const entries = batch.entries.map((entry) => {
            if (entry.kind !== "event") return entry
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
      append: async (channel, draft, options) => {
        const { position, duplicate } = await log.append(channel, draft, options)
        return { position: { ...position, epoch: first(channel, position.epoch) }, duplicate }
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
