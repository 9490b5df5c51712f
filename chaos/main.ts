import { parseArgs } from "node:util"
import { chaos } from "./chaos.ts"
import { formatTally } from "./tally.ts"

const HELP = `npm run chaos -- [options]

Real nodes on a real Redis, and clients in between which bad things happen, round by round. After each round everything is
healed, and every publish and delivery is accounted for. Ends with 1 when something is wrong.

  --minutes 5       no round begins after that; there is one in any case
  --seed 1          which schedule of faults
  --nodes 3
  --clients 300
  --rate 20         publishes per second, of all clients
  --faults 15       in a round
  --losses 5        in each so many-th round the engine loses something; 0 for never
`

const defaults = {
  minutes: "5",
  seed: "1",
  nodes: "3",
  clients: "300",
  rate: "20",
  faults: "15",
  losses: "5",
}

/** The line on which a terminal's cursor is. */
const ERASE = "\r\x1b[K"

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1))

try {
  const numbers = read(process.argv.slice(2))
  if (numbers !== undefined) await run(numbers)
} catch (error) {
  console.error(`${(error as Error).message}\n\n${HELP}`)
  process.exitCode = 2
}

function read(args: string[]): Record<keyof typeof defaults, number> | undefined {
  const names = Object.keys(defaults) as (keyof typeof defaults)[]
  const options = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]))
  const { values } = parseArgs({ args, options: { ...options, help: { type: "boolean" } } })
  if (values.help) {
    console.log(HELP)
    return undefined
  }
  const given = { ...defaults, ...(values as Partial<typeof defaults>) }
  const entries = names.map((name) => {
    const value = Number(given[name])
    if (!(value >= 0)) throw new Error(`--${name} wants a number from 0, not "${given[name]}"`)
    return [name, value]
  })
  return Object.fromEntries(entries) as Record<keyof typeof defaults, number>
}

async function run({
  minutes,
  seed,
  nodes,
  clients,
  rate,
  faults,
  losses,
}: Record<keyof typeof defaults, number>) {
  const startedMs = performance.now()
  const since = () => (performance.now() - startedMs) / 60_000
  const at = () => `${since().toFixed(1).padStart(6)} min`
  const isTerminal = process.stdout.isTTY
  const tally = await chaos({
    seed,
    nodes,
    clients,
    publishesPerSecond: rate,
    goesOn: () => since() < minutes,
    faultsPerRound: faults,
    faultEveryMs: 4_000,
    lossEvery: losses,
    report: (line) => console.log(`${isTerminal ? ERASE : ""}${at()}  ${line}`),
    status: (line) => isTerminal && process.stdout.write(`${ERASE}${at()}  ${line}`),
  })
  console.log(`\n${formatTally(tally, since())}`)
  const complaints = [...tally.complaints, ...tally.absences]
  if (complaints.length === 0) return
  console.error(`\n${complaints.join("\n")}`)
  console.error(`\nHow things stood:\n${tally.situation.join("\n")}`)
  if (tally.complaints.length > 0) {
    console.error(`\nWhat had happened in that round:\n${tally.trail.join("\n")}`)
  }
  console.error(
    `\nThe same schedule again: npm run chaos -- --seed ${seed} --nodes ${nodes} --clients ${clients}`,
  )
  process.exitCode = 1
}
