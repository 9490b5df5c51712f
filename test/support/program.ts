import { findProgram, howToGet, type ProgramName } from "../../scripts/system-programs.mjs"

const told = new Set<ProgramName>()

/**
 * The path of a program of the system, or undefined when it is missing: `describe.skipIf(!program("chromium"))`.
 * A skip is said loudly, and under CI=true it is a failure.
 */
export function program(name: ProgramName): string | undefined {
  const path = findProgram(name)
  if (path !== undefined) return path
  const message = `${name} is missing (${howToGet(name)})`
  if (process.env.CI === "true") throw new Error(`${message}, and under CI no test may be skipped for it`)
  if (!told.has(name)) console.warn(`!! SKIPPED: ${message}`)
  told.add(name)
  return undefined
}
