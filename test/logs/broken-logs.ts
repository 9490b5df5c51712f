import type { Batch, Draft, Entry, Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import type { LogUnderTest } from "../../src/testing/log-contract.ts"

type Wrap = (log: Log) => Partial<Log>

/** A log that does what the memory log does, but for what is replaced. */
function broken(wrap: Wrap): () => LogUnderTest {
  return () => {
    const sound = memoryLog({ onWatcherError: () => undefined })
    return { log: { ...sound, ...wrap(sound) }, destroy: () => sound.close() }
  }
}

const entriesOf = (log: Log, change: (entries: readonly Entry[]) => readonly Entry[]): Partial<Log> => ({
  read: async (channel, range) => {
    const page = await log.read(channel, range)
    return { ...page, entries: change(page.entries) }
  },
})

const draftOf = (log: Log, change: (draft: Draft) => Draft): Partial<Log> => ({
  append: (channel, draft, options) => log.append(channel, change(draft), options),
})

const batchOf = (log: Log, change: (batch: Batch) => readonly Batch[]): Partial<Log> => ({
  watch: (channel, listener) => log.watch(channel, (batch) => change(batch).forEach(listener)),
})

const nameOf = (log: Log, change: (name: string) => string): Partial<Log> => ({
  append: (channel, ...rest) => log.append(change(channel), ...rest),
  read: (channel, ...rest) => log.read(change(channel), ...rest),
})

/** Each is wrong in one way that a real log might be. */
export const brokenLogs: Readonly<Record<string, () => LogUnderTest>> = {
  "answers with an offset beside the right one": broken((log) => ({
    append: async (...args) => {
      const { position, duplicate } = await log.append(...args)
      return { position: { ...position, offset: position.offset + 1 }, duplicate }
    },
  })),
  "gives offsets again when all was trimmed": broken((log) => {
    const shift = new Map<string, number>()
    return {
      append: async (channel, draft, options) => {
        const appended = await log.append(channel, draft, options)
        const { top, floor } = await log.head(channel)
        const { offset } = appended.position
        const position = { ...appended.position, offset: offset - (shift.get(channel) ?? 0) }
        if (top === floor && !shift.has(channel)) shift.set(channel, top)
        return { ...appended, position }
      },
    }
  }),
  "has another epoch each time": broken((log) => {
    let count = 0
    return { head: async (channel) => ({ ...(await log.head(channel)), epoch: `${count++}` }) }
  }),
  "does not dedupe": broken((log) => ({
    append: (channel, draft, { keep }) => log.append(channel, draft, { keep }),
  })),
  "replaces what has changed since": broken((log) => ({
    append: (channel, draft, { replaces: _, ...options }) => log.append(channel, draft, options),
  })),
  "takes other content for a repeat": broken((log) => ({
    append: (channel, draft, { keep, dedupe }) =>
      log.append(channel, draft, dedupe ? { keep, dedupe: { ...dedupe, fingerprint: "" } } : { keep }),
  })),
  "never forgets a key": broken((log) => ({
    append: (channel, draft, { keep, dedupe }) =>
      log.append(channel, draft, dedupe ? { keep, dedupe: { ...dedupe, windowMs: 1e12 } } : { keep }),
  })),
  "forgets keys too early": broken((log) => ({
    append: (channel, draft, { keep, dedupe }) =>
      log.append(
        channel,
        draft,
        dedupe ? { keep, dedupe: { ...dedupe, windowMs: dedupe.windowMs / 2 } } : { keep },
      ),
  })),
  "dedupes over all channels": broken((log) => {
    const known = new Map<string, string>()
    return {
      append: (channel, draft, options) => {
        const key = options.dedupe?.key ?? ""
        const first = known.get(key) ?? channel
        if (options.dedupe) known.set(key, first)
        return log.append(first, draft, options)
      },
    }
  }),
  "forgets a key with its entry": broken((log) => ({
    append: async (channel, draft, options) => {
      const { floor } = await log.head(channel)
      if (floor === 0 || options.dedupe === undefined) return log.append(channel, draft, options)
      return log.append(channel, draft, { keep: options.keep })
    },
  })),
  "tells duplicates": broken((log) => {
    const listeners: ((batch: Batch) => void)[] = []
    return {
      append: async (channel, draft, options) => {
        const appended = await log.append(channel, draft, options)
        const { epoch, offset } = appended.position
        const batch = { epoch, after: offset - 1, entries: [{ ...draft, offset }] }
        if (appended.duplicate) for (const listener of listeners) listener(batch)
        return appended
      },
      watch: (channel, listener) => {
        listeners.push(listener)
        return log.watch(channel, listener)
      },
    }
  }),
  "reads beyond `through`": broken((log) => ({
    read: (channel, range) => log.read(channel, { ...range, through: range.through + 1 }),
  })),
  "reads what stands at `after`": broken((log) => ({
    read: (channel, range) => log.read(channel, { ...range, after: range.after - 1 }),
  })),
  "gives longer pages than it was asked for": broken((log) => ({
    read: (channel, range) => log.read(channel, { ...range, entriesMax: range.entriesMax + 1 }),
  })),
  "gives pages of any number of bytes": broken((log) => ({
    read: (channel, range) => log.read(channel, { ...range, bytesMax: Infinity }),
  })),
  "gives an empty page when the first entry is too large": broken((log) => ({
    read: async (channel, range) => {
      const page = await log.read(channel, range)
      const fits = (page.entries[0]?.body.length ?? 0) <= range.bytesMax
      return fits ? page : { ...page, entries: [], next: range.after }
    },
  })),
  "goes on behind what it left out": broken((log) => ({
    read: async (channel, range) => {
      const page = await log.read(channel, range)
      return { ...page, next: Math.min(range.through, page.head.top) }
    },
  })),
  "folds deletions in": broken((log) => ({
    read: async (channel, range) => {
      const page = await log.read(channel, { ...range, select: "all" })
      if (range.select === "all") return page
      return { ...page, entries: page.entries.filter(({ kind }) => kind !== "event") }
    },
  })),
  "leaves members out of the fold": broken((log) => ({
    read: async (channel, range) => {
      const page = await log.read(channel, range)
      if (range.select === "all") return page
      return { ...page, entries: page.entries.filter(({ kind }) => kind !== "join") }
    },
  })),
  "hides deletions": broken((log) =>
    entriesOf(log, (entries) => entries.filter(({ kind }) => kind !== "delete" && kind !== "left")),
  ),
  "says that nothing was trimmed": broken((log) => ({
    head: async (channel) => ({ ...(await log.head(channel)), floor: 0 }),
  })),
  "takes what was superseded for lost": broken((log) => ({
    head: async (channel) => {
      const head = await log.head(channel)
      const all = { after: 0, through: head.top, select: "all", entriesMax: 1e9, bytesMax: 1e9 } as const
      const { entries } = await log.read(channel, all)
      return { ...head, floor: entries[0] ? entries[0].offset - 1 : head.top }
    },
  })),
  "keeps one event fewer": broken((log) => ({
    append: (channel, draft, options) => {
      const keep = { ...options.keep, events: Math.max(0, options.keep.events - 1) }
      return log.append(channel, draft, { ...options, keep })
    },
  })),
  "pays no heed to the limit of bytes": broken((log) => ({
    append: (channel, draft, options) =>
      log.append(channel, draft, { ...options, keep: { ...options.keep, bytes: Infinity } }),
  })),
  "pays no heed to age when it appends": broken((log) => ({
    append: (channel, draft, options) =>
      log.append(channel, draft, { ...options, keep: { ...options.keep, forMs: Infinity } }),
  })),
  "does not trim when told to": broken(() => ({ trim: async () => undefined })),
  "counts state as events": broken((log) => ({
    offsetOfLast: async (channel, count) => {
      const { top, floor } = await log.head(channel)
      return Math.max(floor, top - count)
    },
  })),
  "starts below the floor": broken((log) => ({
    offsetOfLast: async (channel, count) => Math.min(await log.offsetOfLast(channel, count), 10),
  })),
  "names the wrong predecessor": broken((log) => batchOf(log, (batch) => [{ ...batch, after: 0 }])),
  "tells in another order": broken((log) => {
    const held: Batch[] = []
    return batchOf(log, (batch) => {
      held.push(batch)
      return held.length < 2 ? [] : held.splice(0).reverse()
    })
  }),
  "tells twice": broken((log) => batchOf(log, (batch) => [batch, batch])),
  "tells nothing of state": broken((log) =>
    batchOf(log, (batch) => (batch.entries[0]?.kind === "event" ? [batch] : [])),
  ),
  "tells those who have stopped": broken((log) => ({
    watch: async (channel, listener) => {
      await log.watch(channel, listener)
      return () => undefined
    },
  })),
  "tells before the entry is there": broken((log) => {
    const listeners: ((batch: Batch) => void)[] = []
    return {
      append: async (channel, draft, options) => {
        const { epoch, top } = await log.head(channel)
        const batch = { epoch, after: top, entries: [{ ...draft, offset: top + 1 }] }
        for (const listener of listeners) listener(batch)
        await undefined
        return log.append(channel, draft, options)
      },
      watch: async (_, listener) => {
        listeners.push(listener)
        return () => undefined
      },
    }
  }),
  "lets a watcher break an append": broken((log) => {
    const failures: unknown[] = []
    return {
      append: async (...args) => {
        const appended = await log.append(...args)
        if (failures.length > 0) throw failures.pop()
        return appended
      },
      watch: (channel, listener) =>
        log.watch(channel, (batch) => {
          try {
            listener(batch)
          } catch (error) {
            failures.push(error)
          }
        }),
    }
  }),
  "mixes upper and lower case in channels": broken((log) => nameOf(log, (name) => name.toLowerCase())),
  "cuts the names of channels short": broken((log) => nameOf(log, (name) => name.slice(0, 254))),
  "ends keys at a zero": broken((log) =>
    draftOf(log, (draft) => ({ ...draft, key: draft.key.split("\0")[0] ?? "" })),
  ),
  "repairs keys that are no valid text": broken((log) =>
    draftOf(log, (draft) => ({
      ...draft,
      key: new TextDecoder().decode(new TextEncoder().encode(draft.key)),
    })),
  ),
  "takes the payload for text": broken((log) =>
    draftOf(log, (draft) => ({
      ...draft,
      body: new TextEncoder().encode(new TextDecoder().decode(draft.body)),
    })),
  ),
  "cuts large payloads": broken((log) =>
    draftOf(log, (draft) => ({ ...draft, body: draft.body.subarray(0, 65_535) })),
  ),
  "cuts times to whole milliseconds": broken((log) =>
    draftOf(log, (draft) => ({ ...draft, at: Math.trunc(draft.at) })),
  ),
  "appends in any order": broken((log) => {
    let count = 0
    return {
      append: async (...args) => {
        const turns = count++ % 5
        for (let turn = 0; turn < turns; turn++) await undefined
        return log.append(...args)
      },
    }
  }),
  "closes before its appends are through": broken((log) => ({
    append: async (...args) => {
      const appended = await log.append(...args)
      for (let turn = 0; turn < 20; turn++) await undefined
      return appended
    },
  })),
  "takes appends after it was closed": broken(() => ({ close: async () => undefined })),
  "loses everything when it is opened again": () => {
    const sound = memoryLog({ onWatcherError: () => undefined })
    const reopen = async () => {
      await sound.close()
      return memoryLog()
    }
    return { log: sound, reopen, destroy: () => sound.close() }
  },
}
