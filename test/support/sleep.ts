import { setTimeout as pause } from "node:timers/promises"
import { descendantsOf } from "./descendants.ts"

/** Everything that this process has started, and what that has started, does nothing for so long, as on a laptop whose lid is closed. */
export async function sleepWithChildren(ms: number): Promise<void> {
  const pids = descendantsOf(process.pid)
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
