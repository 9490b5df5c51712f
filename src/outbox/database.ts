/** What is kept of a message: all but its id, and when it left first. */
export interface StoredMessage {
  readonly message: object
  readonly sentAtMs: number | undefined
}

/** An outbox in IndexedDB: messages by their place in the order, and the session that they belong to. */
export interface Database {
  readonly read: () => Promise<{
    readonly session: string | undefined
    readonly entries: readonly StoredMessage[]
  }>
  /** Writes all or nothing. `undefined` removes. With a session, what was there before is dropped first. */
  readonly write: (
    entries: Iterable<readonly [place: number, entry: StoredMessage | undefined]>,
    session?: string,
  ) => Promise<void>
  readonly close: () => void
}

const ENTRIES = "entries"
const META = "meta"
const SESSION = "session"

/** @throws DOMException when there is no such database and none can be made */
export async function openDatabase(name: string): Promise<Database> {
  const opening = indexedDB.open(`holdfast-outbox:${name}`, 1)
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore(ENTRIES)
    opening.result.createObjectStore(META)
  }
  const database = await resultOf(opening)
  return {
    read: async () => {
      const transaction = database.transaction([ENTRIES, META])
      const entries = resultOf<StoredMessage[]>(transaction.objectStore(ENTRIES).getAll())
      const session = resultOf<string | undefined>(transaction.objectStore(META).get(SESSION))
      return { session: await session, entries: await entries }
    },
    write: (entries, session) => {
      const transaction = database.transaction([ENTRIES, META], "readwrite")
      const store = transaction.objectStore(ENTRIES)
      if (session !== undefined) {
        store.clear()
        transaction.objectStore(META).put(session, SESSION)
      }
      for (const [place, entry] of entries) {
        if (entry === undefined) store.delete(place)
        else store.put(entry, place)
      }
      return completionOf(transaction)
    },
    close: () => database.close(),
  }
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function completionOf(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
  })
}
