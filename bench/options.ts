import { parseArgs } from "node:util"
import { type ContestantName, contestantNames } from "./contestants/contestants.ts"

/** What was asked for wrongly: told without a stack. */
export class UsageError extends Error {}

/** What every benchmark understands. */
export interface Options<Name extends string> {
  readonly contestants: readonly ContestantName[]
  /** Where the results are written; undefined when not everything was measured, so that no half table replaces a whole. */
  readonly out: string | undefined
  /** Where profiles of the servers are written. */
  readonly profile: string | undefined
  readonly numbers: Readonly<Record<Name, readonly number[]>>
}

/**
 * Reads `--only ws,socket.io`, `--out FILE`, `--profile FOLDER`, and the benchmark's own numbers: for `{ rounds: [5] }`
 * `--rounds 3`, for a list `--connections 1000,10000`.
 * @throws UsageError
 */
export function readOptions<Name extends string>(
  args: readonly string[],
  defaultOut: string,
  defaults: Readonly<Record<Name, readonly number[]>>,
): Options<Name> {
  const names = Object.keys(defaults) as Name[]
  const values = parsed(args, ["only", "out", "profile", ...names])
  const contestants = values.only?.split(",") ?? contestantNames
  for (const name of contestants) {
    if (!(contestantNames as string[]).includes(name)) {
      throw new UsageError(`"${name}" is none of ${contestantNames.join(", ")}`)
    }
  }
  const numbers = Object.fromEntries(
    names.map((name) => [name, values[name] === undefined ? defaults[name] : numbersIn(name, values[name])]),
  ) as Record<Name, readonly number[]>
  return {
    contestants: contestants as ContestantName[],
    out: values.out ?? (args.length === 0 ? defaultOut : undefined),
    profile: values.profile,
    numbers,
  }
}

function parsed(args: readonly string[], names: readonly string[]): Partial<Record<string, string>> {
  try {
    const options = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]))
    return parseArgs({ args: [...args], options, allowPositionals: false }).values as Record<string, string>
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function numbersIn(name: string, text: string): number[] {
  const numbers = text.split(",").map(Number)
  if (numbers.every((value) => value > 0 && Number.isFinite(value))) return numbers
  throw new UsageError(`--${name} wants numbers above 0, not "${text}"`)
}
