// All tests on a fresh clone, with no step before it: `npm test`.
//
//   npm test                        every step on the oldest supported Node, then the steps of "newer"
//   npm test -- unit types          these steps, on the Node that runs this
//   npm test -- newer               unit, integration and simulation on the newest Node; a smoke test on those between
//   npm test -- test/hub/x.test.ts  anything else goes to vitest
import "./node-version.mjs"
import { build } from "./build.mjs"
import { install } from "./install.mjs"
import { between, newest, newestMajor, oldestVersion, provideNode } from "./node-matrix.mjs"
import { node, run } from "./processes.mjs"
import { Failure, script, seconds } from "./progress.mjs"
import { registryProgramsUnavailable } from "./registry-programs.mjs"
import { provideRuntimes } from "./runtimes.mjs"
import { SUITES, testFiles } from "./suites.mjs"
import { provide } from "./system-programs.mjs"
import { vitest } from "./vitest.mjs"

const STEPS = ["lint", "types", ...SUITES]
const TYPE_CHECKS = ["tsconfig.json", "tsconfig.pure.json", "tsconfig.client.json"]
/** What may depend on the version of Node, and is run on the newest one too. */
const SUITES_ON_NEWEST = ["unit", "integration", "sim"]
/** How many seeds of the simulation are run, beside its own tests. More, at night: npm run sim -- --seeds 20000 */
const SIM_SEEDS = 1_000
const isCi = process.env.CI === "true"

/** @typedef {{ step: string, ms: number, ok: boolean, note: string }} Row */
/** @typedef {{ from: number, count: number }} Seeds */

/** @type {Row[]} */
const rows = []
const sum = { passed: 0, failed: 0, skipped: 0 }

await script(async () => {
  const args = process.argv.slice(2)
  const chosen = args.filter((arg) => [...STEPS, "newer"].includes(arg))
  const rest = args.filter((arg) => !chosen.includes(arg))
  const steps = args.length === 0 ? STEPS : chosen
  const suites = SUITES.filter((suite) => steps.includes(suite))

  await install()
  await buildStep()
  if (steps.includes("lint")) await step("lint", () => lint())
  if (steps.includes("types")) await step("types", () => types())
  if (rest.length > 0) await restStep(chosen, rest)
  else if (args.length === 0) await onOldest(suites)
  else if (suites.length > 0) await onNode(process.versions.node, suites, { from: 1, count: SIM_SEEDS })
  if (args.length === 0 || chosen.includes("newer")) await onNewer()
  summarize()
})

/**
 * @param {string} name
 * @param {() => Promise<{ ok: boolean, note?: string }>} work
 */
async function step(name, work) {
  console.log(`\n── ${name}`)
  const startedMs = performance.now()
  /** @type {{ ok: boolean, note?: string }} */
  let result = { ok: false }
  try {
    result = await work()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    console.error(error.message)
  }
  rows.push({ step: name, ms: performance.now() - startedMs, ok: result.ok, note: result.note ?? "" })
}

/** The build is a step only when it has something to say: mostly there is nothing to do. */
async function buildStep() {
  try {
    await build()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    // Lint, types and the unit tests work on the sources, and may say more about what is wrong.
    console.error(error.message)
    rows.push({ step: "build", ms: 0, ok: false, note: "" })
  }
}

function lint() {
  return node("node_modules/@biomejs/biome/bin/biome", ["check", "--error-on-warnings", "."])
}

async function types() {
  let ok = true
  for (const project of TYPE_CHECKS) {
    const result = await node("node_modules/typescript/bin/tsc", ["-p", project])
    ok &&= result.ok
  }
  return { ok }
}

/**
 * @param {readonly string[]} suites
 */
async function onOldest(suites) {
  const version = registryProgramsUnavailable === undefined ? oldestVersion : process.versions.node
  await onNode(version, suites, { from: 1, count: SIM_SEEDS / 2 })
}

/**
 * What may depend on the version of Node on the newest one, with other seeds than on the oldest; and whether the build works
 * at all on those between them.
 */
async function onNewer() {
  if (registryProgramsUnavailable !== undefined) {
    console.warn(`\n!! Newer versions of Node are SKIPPED: ${registryProgramsUnavailable}.\n`)
    if (isCi) rows.push({ step: "newer", ms: 0, ok: false, note: "skipped, which CI does not allow" })
    return
  }
  const seeds = { from: SIM_SEEDS / 2 + 1, count: SIM_SEEDS / 2 }
  await onNode(await newest(newestMajor), SUITES_ON_NEWEST, seeds)
  for (const major of between) {
    await step(`node ${major}`, async () => {
      const version = await newest(major)
      const nodePath = await provideNode(version)
      let ok = true
      for (const file of ["test/smoke.mjs", "test/smoke.cjs"]) {
        const result = await run(nodePath, [file], { quiet: true })
        console.log(result.output.trim())
        ok &&= result.ok
      }
      return { ok, note: `smoke tests on ${version}` }
    })
  }
}

/**
 * All suites at once, so that some tests compute while others wait; but browsers afterwards, as their pages are slow to answer beside others.
 * @param {string} version
 * @param {readonly string[]} suites
 * @param {Seeds} seeds those of the simulation, if it is among the suites
 */
async function onNode(version, suites, seeds) {
  const present = suites.filter((suite) => testFiles(suite).length > 0)
  const nodePath = () =>
    version === process.versions.node ? Promise.resolve(process.execPath) : provideNode(version)
  const isBrowser = (/** @type {string} */ suite) => suite === "browser"
  const groups = [present.filter((suite) => !isBrowser(suite)), present.filter(isBrowser)]
  for (const group of groups.filter(({ length }) => length > 0)) {
    const projects = group.flatMap((suite) => ["--project", suite])
    const name = isBrowser(group[0] ?? "") ? "browser" : "tests"
    await step(`${name}, node ${version}`, async () => runVitest(projects, group, await nodePath()))
  }
  if (!suites.includes("sim")) return
  await step(`seeds, node ${version}`, async () => simulate(seeds, await nodePath()))
}

/**
 * @param {Seeds} seeds
 * @param {string} execPath
 */
async function simulate({ from, count }, execPath) {
  const args = ["sim/main.ts", "--from", `${from}`, "--seeds", `${count}`]
  const { ok } = await run(execPath, ["scripts/run.mjs", ...args])
  return { ok, note: `${from} to ${from + count - 1}` }
}

/**
 * @param {readonly string[]} chosen
 * @param {readonly string[]} rest
 */
async function restStep(chosen, rest) {
  const suites = SUITES.filter(
    (suite) => chosen.includes(suite) || (chosen.length === 0 && mayRun(suite, rest)),
  )
  const projects = chosen.length === 0 ? [] : suites.flatMap((suite) => ["--project", suite])
  await step("tests", async () => runVitest([...projects, ...rest], suites))
}

/**
 * Whether arguments for vitest may lead to tests of a suite; for one that they do not lead to, no program of the
 * system is installed.
 * @param {string} suite
 * @param {readonly string[]} rest
 */
function mayRun(suite, rest) {
  const patterns = rest.filter((arg) => !arg.startsWith("-"))
  return (
    patterns.length === 0 ||
    testFiles(suite).some((file) => patterns.some((pattern) => file.includes(pattern)))
  )
}

/**
 * @param {readonly string[]} args
 * @param {readonly string[]} suites whose programs are needed
 * @param {string} [execPath]
 */
async function runVitest(args, suites, execPath = process.execPath) {
  const runtimes = suites.includes("runtimes") ? await provideRuntimes() : {}
  const env = { ...process.env, ...(await provide(suites)), ...runtimes }
  const { passed, failed, skipped, ok, passedBySuite } = await vitest(args, { env, execPath })
  sum.passed += passed
  sum.failed += failed
  sum.skipped += skipped
  const bySuite = SUITES.filter((suite) => passedBySuite.has(suite)).map(
    (suite) => `${suite} ${passedBySuite.get(suite)}`,
  )
  const note = [`${bySuite.join(", ")} passed`, failed && `${failed} failed`, skipped && `${skipped} skipped`]
  return { ok, note: note.filter(Boolean).join(", ") }
}

function summarize() {
  const width = Math.max(...rows.map((row) => row.step.length))
  console.log("")
  for (const { step, ms, ok, note } of rows) {
    console.log(
      `  ${step.padEnd(width)}  ${seconds(ms).padStart(8)}  ${ok ? "ok    " : "FAILED"}  ${note}`.trimEnd(),
    )
  }
  if (rows.some((row) => !row.ok)) process.exitCode = 1
  console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
}
