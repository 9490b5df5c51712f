import { readFileSync } from "node:fs"
import { UsageError } from "../options.ts"

/** Beside its connections, a process has its standard streams, its modules, its pipes to the parent. */
const OTHERS = 100

/**
 * Checks that a process may hold so many connections. Node raises its soft limit to the hard one by itself, so the hard
 * limit counts.
 * @throws UsageError that says how to raise it
 */
export function checkOpenFiles(connections: number): void {
  // Only Linux tells it in a file; elsewhere a run that has too few ends with EMFILE.
  if (process.platform !== "linux") return
  const line = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))
  const openFilesMax = line?.[1] === "unlimited" ? Number.POSITIVE_INFINITY : Number(line?.[1])
  if (openFilesMax >= connections + OTHERS) return
  throw new UsageError(
    `${connections} connections need ${connections + OTHERS} open files, and this shell allows ${openFilesMax}. ` +
      `Raise the hard limit (as root: ulimit -Hn ${connections + OTHERS}), or ask for fewer.`,
  )
}
