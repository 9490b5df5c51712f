import { type BugName, bugOf } from "./bugs/catalog.ts"
import type { ProfileOverrides } from "./profile.ts"
import { type Outcome, run } from "./run.ts"

/** One run, as it can be told to another process. */
export interface Job {
  readonly seed: number
  /** The name of an injected bug. */
  readonly bug?: BugName | undefined
  readonly overrides?: ProfileOverrides
  /** Whether each message is printed too. */
  readonly wire?: boolean
}

/** Also what a run throws is an outcome: a defect of the simulation, or of what it simulates. */
export async function perform(
  { seed, bug, overrides = {}, wire = false }: Job,
  print?: (line: string) => void,
): Promise<Outcome> {
  try {
    return await run({
      seed,
      overrides,
      wire,
      ...(bug !== undefined && { bug: bugOf(bug) }),
      ...(print !== undefined && { print }),
    })
  } catch (error) {
    return { seed, hash: "", violations: [`defect: ${describe(error)}`], counts: {} }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
