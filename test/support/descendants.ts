import { readdirSync, readFileSync } from "node:fs"

/** The processes that this one has started, and what those have started. */
export function descendantsOf(ancestor: number): number[] {
  const parents = new Map(readdirSync("/proc").flatMap((name) => parentOf(Number(name))))
  const isBelow = (pid: number | undefined): boolean => {
    const parent = parents.get(pid as number)
    return parent === ancestor || (parent !== undefined && isBelow(parent))
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
