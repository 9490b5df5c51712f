import { mkdirSync, rmSync } from "node:fs"
import type { Log } from "../../log/log.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { chosenOptions } from "../chosen-options.ts"
import { CheckpointKeeper } from "./checkpoint-keeper.ts"
import { Checkpoints, prepareFolder, restore } from "./checkpoints.ts"
import { isReadOnly } from "./failure.ts"
import { type Found, inspect, unusable } from "./folder.ts"
import { type LmdbLogOptions, type LmdbLogSettings, lmdbLogDefaults } from "./options.ts"
import { readOnlyLog } from "./read-only-log.ts"
import { Store } from "./store.ts"
import { WritableLog } from "./writable-log.ts"
import { lockForWriting } from "./writer-lock.ts"

export { type LmdbLogOptions, lmdbLogDefaults } from "./options.ts"

/**
 * A log in a folder of this machine, which it makes if it is not there. One process writes to it; others may read it.
 * Acknowledged entries survive a crash of the process, and with `sync` one of the machine.
 * @throws HoldfastError `log_unusable` when the folder cannot be made or opened, holds something else, is damaged or of another version,
 *   `log_in_use` when another process writes to it
 * @internal `now` is the clock of leases, ms since 1970
 */
export function lmdbLog(folder: string, options: LmdbLogOptions = {}, now: () => number = Date.now): Log {
  const settings = chosenOptions<LmdbLogSettings>("lmdbLog", lmdbLogDefaults, options)
  try {
    return open(folder, settings, now)
  } catch (error) {
    if (error instanceof HoldfastError) throw error
    throw unusable(folder, `cannot be opened: ${error instanceof Error ? error.message : error}`)
  }
}

function open(folder: string, settings: LmdbLogSettings, now: () => number): Log {
  const found = inspect(folder)
  if (settings.readOnly) return openForReading(folder, found, "The log is open for reading only.")
  try {
    return openForWriting(folder, settings, now)
  } catch (error) {
    if (!isReadOnly(error) || found.state === "empty") throw error
    return openForReading(folder, found, "The log's folder cannot be written to.")
  }
}

function openForReading(folder: string, found: Found, why: string): Log {
  if (found.state === "empty") throw unusable(folder, "holds no log")
  if (found.isRestoreDue)
    throw unusable(folder, "was left by a crash of the machine and has to be opened for writing first")
  return readOnlyLog(new Store(folder, { readOnly: true }), why)
}

function openForWriting(folder: string, settings: LmdbLogSettings, now: () => number): Log {
  const made = mkdirSync(folder, { recursive: true })
  const release = lockForWriting(folder)
  let store: Store | undefined
  let checkpoints: Checkpoints | undefined
  try {
    // Once more: until it was locked, somebody else may have written to it.
    const found = inspect(folder)
    if (found.state === "empty") prepareFolder(folder)
    else if (found.isRestoreDue) restore(folder, found.checkpoint)
    store = new Store(folder, { readOnly: false })
    const sequence = found.state === "log" ? found.checkpoint.sequence : 1
    checkpoints = new Checkpoints(folder, store, { sequence, sync: settings.sync })
    const keeper = new CheckpointKeeper(checkpoints, settings)
    const log = new WritableLog({ store, keeper, release, now }, settings)
    const beginsEpoch = settings.newEpoch || mustBeginEpoch(found)
    // From here on the file is not what it was when it was closed, and if it ends here a new epoch is still due.
    if (found.state === "log") checkpoints.makeNow("open", beginsEpoch)
    claim(log, beginsEpoch)
    checkpoints.makeNow("open")
    return log
  } catch (error) {
    checkpoints?.close()
    void store?.close()
    release()
    if (made !== undefined) rmSync(made, { recursive: true })
    throw error
  }
}

/** Whether what was acknowledged, and seen, may be lost: its offsets must not come to mean something else. */
function mustBeginEpoch(found: Found): boolean {
  if (found.state === "empty") return true
  return found.checkpoint.isEpochDue || (found.isRestoreDue && !found.checkpoint.sync)
}

/** On a full disk a log can be read all the same; the claim is made with the first append then. */
function claim(log: WritableLog, beginsEpoch: boolean): void {
  try {
    log.claim(beginsEpoch)
  } catch (error) {
    if (beginsEpoch) throw error
  }
}
