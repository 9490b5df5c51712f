// All tests on a fresh clone, with no step before it: `npm test`.
//
//   npm test                        every step on the oldest supported Node, then the matrix of newer ones
//   npm test -- unit types          these steps
//   npm test -- test/hub/x.test.ts  anything else goes to vitest
import "./node-version.mjs"
import { build } from "./build.mjs"
import { filesUnder } from "./fingerprint.mjs"
import { install } from "./install.mjs"
import { newest, newestOf, oldestVersion, provideNode } from "./node-matrix.mjs"
import { node, run } from "./processes.mjs"
import { Failure, script, seconds } from "./progress.mjs"
import { registryProgramsUnavailable } from "./registry-programs.mjs"
import { provideRuntimes } from "./runtimes.mjs"
import { provide } from "./system-programs.mjs"
import { vitest } from "./vitest.mjs"

const SUITES = ["unit", "integration", "networks", "runtimes", "browser", "sim", "chaos"]
/** The suites that run on the newest Node too. */
const SUITES_ON_NEWEST = ["unit", "integration", "sim"]
const STEPS = ["lint", "types", ...SUITES, "matrix"]
const TYPE_CHECKS = ["tsconfig.json", "tsconfig.pure.json", "tsconfig.client.json"]
/** How many seeds of the simulation are run, beside its own tests. More, at night: npm run sim -- --seeds 20000 */
const SIM_SEEDS = 1_000
const isCi = process.env.CI === "true"

/** @typedef {{ step: string, ms: number, ok: boolean, note: string }} Row */

/** @type {Row[]} */
const rows = []
const sum = { passed: 0, failed: 0, skipped: 0 }

await script(async () => {
  const args = process.argv.slice(2)
  const chosen = args.filter((arg) => STEPS.includes(arg))
  const rest = args.filter((arg) => !chosen.includes(arg))
  const steps = args.length === 0 ? STEPS : chosen

  await install()
  await buildStep()
  if (steps.includes("lint")) await step("lint", () => lint())
  if (steps.includes("types")) await step("types", () => types())
  if (rest.length > 0) await restStep(chosen, rest)
  else {
    const execPath = args.length === 0 ? await oldestNode() : process.execPath
    for (const suite of SUITES.filter((suite) => steps.includes(suite))) await suiteStep(suite, execPath)
  }
  if (steps.includes("matrix")) await matrix()
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
 * @param {string} suite
 * @param {string} execPath
 */
async function suiteStep(suite, execPath) {
  if (!hasTests(suite)) return console.log(`\n── ${suite}: no tests yet`)
  await step(suite, async () => {
    const seeds = suite === "sim" ? await simulate() : { ok: true, note: "" }
    const tests = await runVitest(["--project", suite], [suite], execPath)
    return { ok: seeds.ok && tests.ok, note: `${seeds.note}${tests.note}` }
  })
}

async function simulate() {
  const { ok } = await node("scripts/run.mjs", ["sim/main.ts", "--seeds", `${SIM_SEEDS}`])
  return { ok, note: `${SIM_SEEDS} seeds, ` }
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
  const { passed, failed, skipped, ok } = await vitest(args, { env, execPath })
  sum.passed += passed
  sum.failed += failed
  sum.skipped += skipped
  const note = [`${passed} passed`, failed && `${failed} failed`, skipped && `${skipped} skipped`]
  return { ok, note: note.filter(Boolean).join(", ") }
}

/** The installed Node where no other can be had. */
async function oldestNode() {
  if (registryProgramsUnavailable !== undefined || process.versions.node === oldestVersion)
    return process.execPath
  return provideNode(oldestVersion)
}

/** Suites on the newest Node, and a smoke test of the build on those between it and the oldest one. */
async function matrix() {
  if (registryProgramsUnavailable !== undefined) {
    console.warn(`\n!! The matrix of Node versions is SKIPPED: ${registryProgramsUnavailable}.\n`)
    if (isCi) rows.push({ step: "matrix", ms: 0, ok: false, note: "skipped, which CI does not allow" })
    return
  }
  const [newestMajor = 0, ...others] = newestOf.toSorted((a, b) => b - a)
  await step(`node ${newestMajor}`, async () => {
    const suites = SUITES_ON_NEWEST.filter(hasTests)
    const projects = suites.flatMap((suite) => ["--project", suite])
    return runVitest(projects, suites, await provideNode(await newest(newestMajor)))
  })
  for (const major of others) {
    await step(`node ${major}`, async () => {
      const version = await newest(major)
      const { ok, output } = await run(await provideNode(version), ["test/smoke.mjs"], { quiet: true })
      console.log(output.trim())
      return { ok, note: `smoke test on ${version}` }
    })
  }
}

/**
 * @param {string} suite
 */
function hasTests(suite) {
  return testFiles(suite).length > 0
}

/**
 * The same division into suites as in vitest.config.ts.
 * @param {string} suite
 */
function testFiles(suite) {
  return filesUnder(["test"]).filter((file) => file.endsWith(".test.ts") && suiteOf(file) === suite)
}

/**
 * @param {string} file
 */
function suiteOf(file) {
  if (file.startsWith("test/browser/")) return "browser"
  if (file.startsWith("test/networks/")) return "networks"
  if (file.startsWith("test/chaos/")) return "chaos"
  if (file.startsWith("test/runtimes/")) return "runtimes"
  if (file.startsWith("test/sim/")) return "sim"
  return /^test\/(server|examples|package|crash)\//.test(file) ? "integration" : "unit"
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
