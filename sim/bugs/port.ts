import type { Batch, Entry, Head, Log, Range } from "holdfast/testing"
import type { InjectedBug } from "../injected-bug.ts"

/**
 * Says where an entry stands as soon as it was sent on its way, when nothing else of this node is on its way: most of the
 * time that comes true.
 */
export function acknowledgesBeforeTheAppend(): InjectedBug {
  return bends((log) => {
    const underWay = new Map<string, number>()
    return {
      append: async (channel, operation, options) => {
        const before = underWay.get(channel) ?? 0
        underWay.set(channel, before + 1)
        const done = () => underWay.set(channel, (underWay.get(channel) ?? 1) - 1)
        const { epoch, top } = await log.head(channel)
        const outcome = log.append(channel, operation, options)
        outcome.then(done, done)
        if (before > 0) return outcome
        return { status: "appended", position: { epoch, offset: top + 1 } }
      },
    }
  })
}

/** Tells its own subscribers at once, under the offset that the entry will surely get. */
export function deliversBeforeTheLogOrdered(): InjectedBug {
  return bends((log) => {
    const listeners = new Map<string, Set<(batch: Batch) => void>>()
    const heads = new Map<string, Pick<Head, "epoch" | "top">>()
    const tell = (channel: string, batch: Batch) => {
      heads.set(channel, { epoch: batch.epoch, top: batch.entries.at(-1)?.offset ?? batch.after })
      for (const listener of listeners.get(channel) ?? []) listener(batch)
    }
    return {
      watch: async (channel, listener) => {
        const all = listeners.get(channel) ?? new Set()
        listeners.set(channel, all.add(listener))
        const unwatch = await log.watch(channel, (batch) => tell(channel, batch))
        return () => {
          all.delete(listener)
          unwatch()
        }
      },
      append: (channel, operation, options) => {
        const head = heads.get(channel)
        if (head !== undefined) {
          const offset = head.top + 1
          const rest = { key: `${offset}`, created: offset, version: 0, holder: "" }
          const entry: Entry = { ...rest, ...operation, offset }
          tell(channel, { epoch: head.epoch, after: head.top, entries: [entry] })
        }
        return log.append(channel, operation, options)
      },
    }
  })
}

/** Goes on reading where something was trimmed, as if nothing had been there. */
export function saysRecoveredOnATrimmedLog(): InjectedBug {
  return bendsHeads((head) => ({ ...head, base: 0, floors: {} }))
}

/** What was trimmed of one collection is taken for trimmed of all: a reader below that floor is given nothing up to there. */
export function appliesAFloorToAll(): InjectedBug {
  return bends((log) => ({
    read: async (channel, range) => {
      const page = await log.read(channel, range)
      const floor = Math.max(...Object.values(page.head.floors), range.after)
      const isAbove = ({ offset }: Entry) => offset > floor
      return range.select === "fold" ? page : { ...page, entries: page.entries.filter(isAbove) }
    },
  }))
}

/** Goes on reading where a channel was forgotten as a whole. */
export function missesThatAChannelWasForgotten(): InjectedBug {
  return bendsHeads((head) => ({ ...head, base: 0 }))
}

/** Takes an offset of one life of the log for an offset of the next. */
export function forgetsTheEpoch(): InjectedBug {
  const epoch = "e1"
  return {
    port: (log) => ({
      ...withHeads(log, (head) => ({ ...head, epoch })),
      watch: (channel, listener) => log.watch(channel, (batch) => listener({ ...batch, epoch })),
      append: async (channel, operation, options) => {
        const { position, ...outcome } = await log.append(channel, operation, options)
        return { ...outcome, position: { ...position, epoch } }
      },
    }),
  }
}

/** The first thing that is told after it began to watch is lost, and what follows is told as if it followed directly. */
export function losesTheFirstNotification(): InjectedBug {
  return bends((log) => ({
    watch: (channel, listener) => {
      let first = true
      return log.watch(channel, (batch) => {
        if (!first) listener({ ...batch, after: 0 })
        first = false
      })
    },
  }))
}

/** What is written while a snapshot is read is not in it. */
export function lacksWhatASnapshotMet(): InjectedBug {
  return bendsSnapshots(({ operation }) => operation === "remove")
}

/** What is removed while a snapshot is read stays in it. */
export function keepsWhatASnapshotLost(): InjectedBug {
  return bendsSnapshots(({ operation }) => operation !== "remove")
}

/** Behind the fold, a snapshot is read on to the end of the log. */
function bendsSnapshots(isRead: (entry: Entry) => boolean): InjectedBug {
  const isBehindFold = ({ select, collections }: Range) => select === "all" && collections !== undefined
  return bends((log) => ({
    read: async (channel, range) => {
      const page = await log.read(channel, range)
      return isBehindFold(range) ? { ...page, entries: page.entries.filter(isRead) } : page
    },
  }))
}

function bendsHeads(changed: (head: Head) => Head): InjectedBug {
  return { port: (log) => withHeads(log, changed) }
}

function withHeads(log: Log, changed: (head: Head) => Head): Log {
  return {
    ...log,
    head: async (channel) => changed(await log.head(channel)),
    read: async (channel, range) => {
      const page = await log.read(channel, range)
      return { ...page, head: changed(page.head) }
    },
  }
}

function bends(changed: (log: Log) => Partial<Log>): InjectedBug {
  return { port: (log) => ({ ...log, ...changed(log) }) }
}
