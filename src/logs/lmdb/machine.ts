import { readFileSync, readlinkSync } from "node:fs"
import { uptime } from "node:os"

/** How far two readings of the same start of a machine may be apart where it can only be computed: clocks are set. */
const START_TOLERANCE_S = 120

/** Names this start of the machine: it changes when the machine starts again, and is the same for all its processes. */
export function bootId(): string {
  const id = readOr("/proc/sys/kernel/random/boot_id")
  return id === undefined ? `at ${Math.round(Date.now() / 1000 - uptime())}` : id.trim()
}

export function isSameBoot(a: string, b: string): boolean {
  if (a === b) return true
  const [at, other] = [a, b].map((id) => (id.startsWith("at ") ? Number(id.slice(3)) : Number.NaN))
  return Math.abs((at ?? Number.NaN) - (other ?? Number.NaN)) <= START_TOLERANCE_S
}

/** A process of this machine, such that another one with the same number is told apart. */
export interface ProcessId {
  readonly pid: number
  /** When it started, in the system's own unit; empty where the system does not say. */
  readonly started: string
  /** The namespace that its number belongs to, as of a container; empty where there are none. */
  readonly namespace: string
  readonly boot: string
}

export function thisProcess(): ProcessId {
  return { pid: process.pid, started: startOf(process.pid), namespace: namespace(), boot: bootId() }
}

/**
 * Whether the process runs. Of a process in another namespace nothing can be said, so it counts as gone: a container
 * that takes the place of one that was killed must be able to start.
 */
export function isRunning({ pid, started, namespace: of, boot }: ProcessId): boolean {
  if (!isSameBoot(boot, bootId()) || of !== namespace()) return false
  if (started !== "") return startOf(pid) === started
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** The 22nd field of /proc/PID/stat. The second one, the name, is in parentheses and may hold anything. */
function startOf(pid: number): string {
  const stat = readOr(`/proc/${pid}/stat`)
  if (stat === undefined) return ""
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
}

function namespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid")
  } catch {
    return ""
  }
}

function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}
