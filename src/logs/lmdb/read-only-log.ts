import type { Log } from "../../log/log.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { reading, type View } from "./reading.ts"
import type { Store } from "./store.ts"

/**
 * A log that another process may be writing to: each call looks anew into the file.
 * @param why what those who append are told: why they cannot
 */
export function readOnlyLog(store: Store, why: string): Log {
  let closing: Promise<void> | undefined

  function assertOpen(): void {
    if (closing !== undefined) throw new HoldfastError("closed", "The log was closed.")
  }

  async function look(name: string): Promise<View> {
    assertOpen()
    store.refresh()
    const id = store.channelId(name)
    const channel = id === undefined ? undefined : { id, head: store.head(id) }
    return { epoch: store.meta("epoch") ?? "", channel, base: store.metaNumber("forgotten") }
  }

  return {
    durable: true,
    ...reading(store, look),
    async append() {
      assertOpen()
      throw new HoldfastError("log_unavailable", `${why} Nothing was published.`)
    },
    /** LMDB does not tell other processes of a commit. */
    async watch() {
      assertOpen()
      return () => undefined
    },
    /** The writer trims. */
    async trim() {
      assertOpen()
    },
    close() {
      closing ??= store.close()
      return closing
    },
  }
}
