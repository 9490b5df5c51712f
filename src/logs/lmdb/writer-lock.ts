import { readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { HoldfastError } from "../../protocol/error.ts"
import { isRunning, type ProcessId, thisProcess } from "./machine.ts"

const NAME = "writer.lock"

/** The folders that this process writes to: LMDB would let one process open a folder twice without a word. */
const ownFolders = new Set<string>()

/**
 * Makes this process the one that writes to the folder. The lock of a process that is gone is taken over. Two that take
 * it over at the same moment are told apart by the writer's name in the file, which each transaction checks.
 * @returns what gives the lock back
 * @throws HoldfastError `log_in_use`
 */
export function lockForWriting(folder: string): () => void {
  const path = realpathSync(folder)
  const file = join(path, NAME)
  if (ownFolders.has(path)) throw inUse(path, "this process")
  const owner = readOwner(file)
  if (owner !== undefined && owner.pid !== process.pid && isRunning(owner))
    throw inUse(path, `process ${owner.pid}`)
  writeFileSync(file, `${JSON.stringify(thisProcess())}\n`)
  ownFolders.add(path)
  return () => {
    ownFolders.delete(path)
    rmSync(file, { force: true })
  }
}

function readOwner(file: string): ProcessId | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ProcessId
  } catch {
    // There is none, or a crash of the machine has left it half written.
    return undefined
  }
}

function inUse(path: string, by: string): HoldfastError {
  return new HoldfastError("log_in_use", `The log in ${path} is being written to by ${by}.`)
}
