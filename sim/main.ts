import { parseArgs } from "node:util"
import { run } from "./run.ts"

/** `npm run sim -- --seeds 1000`, or `--seed 42` for one, with its trace. */
const { values } = parseArgs({
  options: { seeds: { type: "string" }, from: { type: "string" }, seed: { type: "string" } },
})

if (values.seed !== undefined) {
  const outcome = await run({ seed: Number(values.seed), print: (line) => console.log(line) })
  report(Number(values.seed), outcome.violations)
  console.log(`seed ${values.seed}: ${outcome.hash}, ${JSON.stringify(outcome.counts)}`)
} else {
  await runAll(Number(values.from ?? 1), Number(values.seeds ?? 100))
}

async function runAll(from: number, count: number): Promise<void> {
  let failed = 0
  for (let seed = from; seed < from + count; seed++) {
    const { violations } = await run({ seed })
    if (violations.length > 0) failed++
    report(seed, violations)
    if ((seed - from + 1) % 100 === 0) console.error(`${seed - from + 1} of ${count} seeds, ${failed} failed`)
  }
  console.log(`${count - failed} passed, ${failed} failed`)
}

function report(seed: number, violations: readonly string[]): void {
  if (violations.length === 0) return
  process.exitCode = 1
  console.log(`seed ${seed} breaks a promise (npm run sim -- --seed ${seed}):`)
  for (const violation of violations.slice(0, 5)) console.log(`  ${violation}`)
}
