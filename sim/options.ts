import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import { type BugName, bugNames, isBug } from "./bugs/catalog.ts"
import type { ProfileOverrides } from "./profile.ts"

/** What was asked for wrongly: told without a stack. */
export class UsageError extends Error {}

export interface Options {
  /** The first seed, and how many. */
  readonly from: number
  readonly seeds: number
  /** One seed, with its trace. */
  readonly trace: boolean
  /** Whether the trace has each message too. */
  readonly wire: boolean
  readonly jobs: number
  readonly bug: BugName | undefined
  readonly overrides: ProfileOverrides
}

export const HELP = `npm run sim -- [options]

Runs the real hub, the real client and the real memory log in a simulated world: several nodes, a
network that delays, cuts and swallows, nodes that crash, a log that breaks, trims and begins anew.
What happens follows from the seed alone. Afterwards every guarantee is checked.

  --seeds N      how many seeds (default 100)
  --from N       the first of them (default 1)
  --seed N       only this one, with a trace of all that happens
  --wire         and with each message
  --jobs N       processes at once (default: one per core)

  --nodes N      fix what the seed would draw: nodes,
  --clients N    clients,
  --seconds N    virtual seconds of trouble

  --bug NAME     injects a known bug and stops at the first seed that finds it:
${bugNames.map((name) => `                 ${name}`).join("\n")}

Ends with 1 when a guarantee was broken; each broken seed is told with the command that repeats it.`

const NUMBERS = ["seeds", "from", "seed", "jobs", "nodes", "clients", "seconds"] as const
type NumberName = (typeof NUMBERS)[number]

const MAX: Readonly<Partial<Record<NumberName, number>>> = {
  seed: 4_294_967_295,
  from: 4_294_967_295,
  jobs: 256,
  nodes: 20,
  clients: 200,
  seconds: 3_600,
}

/**
 * Undefined when help is wanted.
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): Options | undefined {
  const { help, wire, bug: name, ...texts } = parsed(args)
  if (help !== undefined) return undefined
  const bug = typeof name === "string" ? bugIn(name) : undefined
  const number = (name: NumberName) => {
    const text = texts[name]
    return typeof text === "string" ? numberIn(name, text) : undefined
  }
  const seed = number("seed")
  if (seed !== undefined && (texts.seeds !== undefined || texts.from !== undefined))
    throw new UsageError("--seed N is one seed, --seeds N and --from N are many: give one or the others")
  const [nodes, clients, seconds] = [number("nodes"), number("clients"), number("seconds")]
  return {
    from: seed ?? number("from") ?? 1,
    seeds: seed !== undefined ? 1 : (number("seeds") ?? 100),
    trace: seed !== undefined,
    wire: wire === true,
    jobs: number("jobs") ?? availableParallelism(),
    bug,
    overrides: {
      ...(nodes !== undefined && { nodes }),
      ...(clients !== undefined && { clients }),
      ...(seconds !== undefined && { durationMs: seconds * 1_000 }),
    },
  }
}

/** How to run one seed again: what follows `npm run sim -- `. */
export function argumentsFor(seed: number, { bug, overrides }: Options): string {
  const { nodes, clients, durationMs } = overrides
  const parts = [`--seed ${seed}`]
  if (bug !== undefined) parts.push(`--bug ${bug}`)
  if (nodes !== undefined) parts.push(`--nodes ${nodes}`)
  if (clients !== undefined) parts.push(`--clients ${clients}`)
  if (durationMs !== undefined) parts.push(`--seconds ${durationMs / 1_000}`)
  return parts.join(" ")
}

function parsed(
  args: readonly string[],
): Partial<Record<NumberName | "bug" | "help" | "wire", string | boolean>> {
  const text = { type: "string" } as const
  const numbers = Object.fromEntries(NUMBERS.map((name) => [name, text]))
  const options = {
    ...numbers,
    bug: text,
    wire: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  } as const
  try {
    return parseArgs({ args: [...args], options, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nnpm run sim -- --help tells what there is.`)
  }
}

function bugIn(name: string): BugName {
  if (isBug(name)) return name
  throw new UsageError(`"${name}" is no injected bug; there are: ${bugNames.join(", ")}`)
}

function numberIn(name: NumberName, text: string): number {
  const value = Number(text)
  const [least, most] = [name === "seed" ? 0 : 1, MAX[name] ?? Number.MAX_SAFE_INTEGER]
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new UsageError(
    `--${name} wants a whole number from ${least}${MAX[name] ? ` to ${most}` : ""}, not "${text}"`,
  )
}
