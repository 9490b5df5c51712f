import { perform } from "./job.ts"
import { argumentsFor, HELP, type Options, readOptions, UsageError } from "./options.ts"
import { openPool } from "./pool.ts"
import { createProgress } from "./progress.ts"
import type { Outcome } from "./run.ts"
import { summaryOf } from "./summary.ts"
import { Tally } from "./tally.ts"

try {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) console.log(HELP)
  else await (options.trace ? traceOne(options) : runAll(options))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(error.message)
  process.exitCode = 1
}

async function traceOne(options: Options): Promise<void> {
  const { from: seed, bug, overrides, wire } = options
  const outcome = await perform({ seed, bug, overrides, wire }, (line) => console.log(line))
  report(outcome, options)
  for (const [name, times] of Object.entries(outcome.counts)) console.log(`${name}: ${times}`)
  console.log(`seed ${seed}: ${outcome.violations.length} violations, trace ${outcome.hash}`)
}

async function runAll(options: Options): Promise<void> {
  const { from, seeds, jobs, bug, overrides } = options
  const startedMs = performance.now()
  const pool = openPool(Math.min(jobs, seeds))
  const tally = new Tally()
  const progress = createProgress(seeds)
  const broken: number[] = []
  let done = 0
  let next = from
  // as many loops as processes; with an injected bug, no other seed is taken when it is found
  const loop = async () => {
    while (next < from + seeds && !(bug !== undefined && broken.length > 0)) {
      const outcome = await pool.run({ seed: next++, bug, overrides })
      tally.addAll(outcome.counts)
      done++
      if (outcome.violations.length > 0) {
        broken.push(outcome.seed)
        progress.clear()
        report(outcome, options)
      }
      progress.show(done, broken.length)
    }
  }
  await Promise.all(Array.from({ length: jobs }, loop))
  pool.close()
  progress.clear()
  console.log(summaryOf(tally, { done, broken, seconds: (performance.now() - startedMs) / 1_000 }))
}

function report({ seed, violations }: Outcome, options: Options): void {
  if (violations.length === 0) return
  process.exitCode = 1
  console.log(`seed ${seed} breaks a promise (npm run sim -- ${argumentsFor(seed, options)}):`)
  for (const violation of violations.slice(0, 5)) console.log(`  ${violation}`)
  if (violations.length > 5) console.log(`  and ${violations.length - 5} more`)
}
