import { readdirSync, readFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"

/** Everything that this process has started, and what that has started, does nothing for so long, as on a laptop whose lid is closed. */
export async function sleepWithChildren(ms: number): Promise<void> {
  const pids = descendants()
  for (const pid of pids) signal(pid, "SIGSTOP")
  await pause(ms)
  for (const pid of pids) signal(pid, "SIGCONT")
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // it has ended meanwhile
  }
}

function descendants(): number[] {
  const parents = new Map(readdirSync("/proc").flatMap((name) => parentOf(Number(name))))
  const isBelow = (pid: number | undefined): boolean => {
    const parent = parents.get(pid as number)
    return parent === process.pid || (parent !== undefined && isBelow(parent))
  }
  return [...parents.keys()].filter(isBelow)
}

/** A process and its parent; nothing when there is no such process any more. */
function parentOf(pid: number): [number, number][] {
  try {
    // proc(5): the name, which may hold anything, stands in parentheses before the state and the parent
    const [, parent] = readFileSync(`/proc/${pid}/stat`, "utf8").match(/.*\) \S (\d+)/s) ?? []
    return parent === undefined ? [] : [[pid, Number(parent)]]
  } catch {
    return []
  }
}
