import type { OutboxStore, OutboxStorePorts } from "../client/outbox-store.ts"
import { HoldfastError } from "../protocol/error.ts"
import { type Database, openDatabase, type StoredMessage } from "./database.ts"
import { own } from "./ownership.ts"

export interface DurableOutboxOptions {
  /** How many messages may wait for their answer. Default 1,000; one more is refused with `outbox_full`. */
  readonly entriesMax?: number | undefined
  /** How long to wait for another tab to give the outbox up, in ms. Default 1,000. */
  readonly ownerTimeoutMs?: number | undefined
}

/**
 * An outbox that outlives its page: what was published, set or deleted and is not answered is kept in IndexedDB, and the next
 * page sends it, with the same keys and before anything new, as in `connect(url, { outbox: durableOutbox("my-app") })`.
 * It is sent as whoever that page's token stands for, so the name should hold the user's.
 *
 * One tab at a time owns the outbox of a name. Where it cannot be had or storage fails, the client's `error` event says
 * `storage_failed`, and what is published is kept in memory only. What the server refuses of an earlier page's messages is
 * an `error` event too, as nobody holds their promises any more.
 */
export function durableOutbox(
  name: string,
  { ownerTimeoutMs = 1_000, ...options }: DurableOutboxOptions = {},
): { readonly store: OutboxStore; readonly entriesMax?: number | undefined } {
  return { ...options, store: outboxStore(name, ownerTimeoutMs) }
}

function outboxStore(name: string, ownerTimeoutMs: number): OutboxStore {
  const changes = new Map<number, StoredMessage | undefined>()
  /** Where the messages of this page stand in the order, by their ids. */
  const places = new Map<number, number>()
  let ports: OutboxStorePorts | undefined
  let database: Database | undefined
  let release: () => void = () => undefined
  /** Written first, and with it what was there before is dropped. */
  let session: string | undefined
  let lastPlace = 0
  let sends: (() => void)[] = []
  let writing = false
  let failing = false
  let closed = false

  const close = () => {
    database?.close()
    database = undefined
    release()
  }

  const write = async (): Promise<void> => {
    const batch = [...changes]
    changes.clear()
    try {
      await database?.write(batch, session)
      session = undefined
      failing = false
    } catch (error) {
      // with the next ones again, unless they changed meanwhile
      for (const [place, entry] of batch) if (!changes.has(place)) changes.set(place, entry)
      if (!failing) ports?.handleError(failure(name, error))
      failing = true
    }
  }

  /** What comes while a write is under way is written together. */
  const drain = async (): Promise<void> => {
    if (writing) return
    writing = true
    while (sends.length > 0) {
      const ready = sends
      sends = []
      if (changes.size > 0) await write()
      for (const send of ready) send()
    }
    writing = false
  }

  const flush = (send: () => void) => {
    sends.push(send)
    void drain()
  }

  return {
    open: async (given) => {
      ports = given
      try {
        release = await own(`holdfast-outbox:${name}`, ownerTimeoutMs)
        const opened = await openDatabase(name)
        database = opened
        const kept = await opened.read()
        session = kept.session ?? given.session
        // what was closed meanwhile leaves everything to the next
        if (closed) close()
        else for (const { message, sentAtMs } of kept.entries) given.restore(message, sentAtMs)
        return session
      } catch (error) {
        close()
        throw failure(name, error)
      }
    },
    put: (id, wire, sentAtMs) => {
      if (ports === undefined || database === undefined) return
      const place = places.get(id) ?? ++lastPlace
      places.set(id, place)
      const { id: _, ...message } = ports.decode(wire) as { readonly id: number }
      changes.set(place, { message, sentAtMs })
    },
    remove: (id) => {
      const place = places.get(id)
      if (place === undefined) return
      places.delete(id)
      changes.set(place, undefined)
    },
    flush,
    close: () => {
      closed = true
      flush(close)
    },
  }
}

function failure(name: string, error: unknown): HoldfastError {
  return new HoldfastError(
    "storage_failed",
    `The outbox "${name}" cannot be kept: ${(error as Error | null)?.message}. What is published is kept in memory only`,
  )
}
