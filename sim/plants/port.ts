import type { Appended, Batch, Head, Log } from "holdfast/testing"
import type { Plant } from "../plant.ts"

/**
 * Says where an entry stands as soon as it was sent on its way, when nothing else of this node is on its way: most of the
 * time that comes true.
 */
export function acknowledgesBeforeTheAppend(): Plant {
  return {
    port: (log) => {
      const underWay = new Map<string, number>()
      const append: Log["append"] = async (channel, draft, options) => {
        const before = underWay.get(channel) ?? 0
        underWay.set(channel, before + 1)
        const done = () => underWay.set(channel, (underWay.get(channel) ?? 1) - 1)
        const { epoch, top } = await log.head(channel)
        const appended = log.append(channel, draft, options)
        appended.then(done, done)
        if (before > 0) return appended
        return { position: { epoch, offset: top + 1 }, duplicate: false }
      }
      return { ...log, append }
    },
  }
}

/** Tells its own subscribers at once, under the offset that the entry will surely get. */
export function deliversBeforeTheLogOrdered(): Plant {
  return {
    port: (log) => {
      const listeners = new Map<string, Set<(batch: Batch) => void>>()
      const heads = new Map<string, Pick<Head, "epoch" | "top">>()
      const tell = (channel: string, batch: Batch) => {
        heads.set(channel, { epoch: batch.epoch, top: batch.entries.at(-1)?.offset ?? batch.after })
        for (const listener of listeners.get(channel) ?? []) listener(batch)
      }
      return {
        ...log,
        watch: async (channel, listener) => {
          const all = listeners.get(channel) ?? new Set()
          listeners.set(channel, all.add(listener))
          const unwatch = await log.watch(channel, (batch) => tell(channel, batch))
          return () => {
            all.delete(listener)
            unwatch()
          }
        },
        append: (channel, draft, options) => {
          const head = heads.get(channel)
          if (head !== undefined) {
            const entries = [{ ...draft, offset: head.top + 1 }]
            tell(channel, { epoch: head.epoch, after: head.top, entries })
          }
          return log.append(channel, draft, options)
        },
      }
    },
  }
}

/** Goes on reading where something was trimmed, as if nothing had been there. */
export function saysRecoveredOnATrimmedLog(): Plant {
  return {
    port: (log) => ({
      ...log,
      head: async (channel) => ({ ...(await log.head(channel)), floor: 0 }),
      read: async (channel, range) => {
        const page = await log.read(channel, range)
        return { ...page, head: { ...page.head, floor: 0 } }
      },
    }),
  }
}

/** Takes an offset of one life of the log for an offset of the next. */
export function forgetsTheEpoch(): Plant {
  const epoch = "e1"
  return {
    port: (log) => ({
      ...log,
      head: async (channel) => ({ ...(await log.head(channel)), epoch }),
      read: async (channel, range) => {
        const page = await log.read(channel, range)
        return { ...page, head: { ...page.head, epoch } }
      },
      watch: (channel, listener) => log.watch(channel, (batch) => listener({ ...batch, epoch })),
      append: async (channel, draft, options): Promise<Appended> => {
        const { position, duplicate } = await log.append(channel, draft, options)
        return { position: { ...position, epoch }, duplicate }
      },
    }),
  }
}

/** The first thing that is told after it began to watch is lost, and what follows is told as if it followed directly. */
export function losesTheFirstNotification(): Plant {
  return {
    port: (log) => ({
      ...log,
      watch: (channel, listener) => {
        let first = true
        return log.watch(channel, (batch) => {
          if (!first) listener({ ...batch, after: 0 })
          first = false
        })
      },
    }),
  }
}
