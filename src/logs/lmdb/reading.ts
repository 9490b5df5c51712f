import type { Head, Log } from "../../log/log.ts"
import { findEntry, offsetOfLast, readBackPage, readPage, type StoredChannel } from "./page.ts"
import type { Store } from "./store.ts"

/** A channel at the moment of a read: one of the file, or, without `id`, one that the log does not know. */
export interface View {
  readonly epoch: string
  readonly channel: StoredChannel | undefined
  /** Where a channel stands that the log does not know. */
  readonly base: number
}

/** The reads of a log. `look` resolves with what may be read now. */
export function reading(
  store: Store,
  look: (channel: string) => Promise<View>,
): Pick<Log, "head" | "read" | "readBack" | "find" | "offsetOfLast"> {
  return {
    async head(name) {
      return headOf(await look(name))
    },
    async read(name, range) {
      const view = await look(name)
      const next = Math.max(range.after, Math.min(range.through, view.base))
      const page = view.channel === undefined ? { entries: [], next } : readPage(store, view.channel, range)
      return { head: headOf(view), ...page }
    },
    async readBack(name, range) {
      const view = await look(name)
      const nothing = { entries: [], before: undefined }
      const page = view.channel === undefined ? nothing : readBackPage(store, view.channel, range)
      return { head: headOf(view), ...page }
    },
    async find(name, collection, key) {
      const { channel } = await look(name)
      return channel && findEntry(store, channel, collection, key)
    },
    async offsetOfLast(name, collection, count) {
      const { channel, base } = await look(name)
      return channel === undefined ? base : offsetOfLast(store, channel, collection, count)
    },
  }
}

function headOf({ epoch, channel, base: unknown }: View): Head {
  if (channel === undefined) return { epoch, top: unknown, base: unknown, floors: {} }
  const { top, base, collections } = channel.head
  const floors: [string, number][] = []
  for (const { name, floor } of collections.values()) if (floor > base) floors.push([name, floor])
  return { epoch, top, base, floors: Object.fromEntries(floors) }
}
