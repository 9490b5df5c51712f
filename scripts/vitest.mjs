import { mkdirSync, readFileSync, rmSync } from "node:fs"
import { delimiter, dirname, join, relative } from "node:path"
import { root, run } from "./processes.mjs"
import { suiteOf } from "./suites.mjs"

/**
 * @typedef {object} Totals
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {boolean} ok
 * @property {ReadonlyMap<string, number>} passedBySuite
 */

/**
 * Runs vitest, showing its output, and reads how many tests did what from its JSON report.
 * @param {readonly string[]} args
 * @param {{ execPath?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<Totals>}
 */
export async function vitest(args, { execPath = process.execPath, env = process.env } = {}) {
  const folder = join(root, ".cache/test")
  mkdirSync(folder, { recursive: true })
  const report = join(folder, `${process.pid}.json`)
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`]
  // A test that starts `node` by name gets the same one.
  const path = `${dirname(execPath)}${delimiter}${env.PATH ?? ""}`
  const { ok } = await run(execPath, ["node_modules/vitest/vitest.mjs", "run", ...reporters, ...args], {
    env: { ...env, PATH: path },
  })
  try {
    return totals(JSON.parse(readFileSync(report, "utf8")), ok)
  } catch {
    return { passed: 0, failed: ok ? 0 : 1, skipped: 0, ok, passedBySuite: new Map() }
  } finally {
    rmSync(report, { force: true })
  }
}

/**
 * @typedef {object} Report vitest's, as far as it is read here
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {{ name: string, status: string, assertionResults: { status: string }[] }[]} testResults
 *
 * @param {Report} report
 * @param {boolean} ok
 * @returns {Totals}
 */
function totals(report, ok) {
  // A file that cannot even be loaded has no tests that could fail, yet it is a failure.
  const unloadable = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  )
  const failed = report.numFailedTests + unloadable.length
  return {
    passed: report.numPassedTests,
    // vitest may also fail as a whole, of an unhandled error or a hook.
    failed: ok ? failed : Math.max(1, failed),
    skipped: report.numPendingTests + report.numTodoTests,
    ok: ok && failed === 0,
    passedBySuite: passedBySuite(report),
  }
}

/**
 * @param {Report} report
 * @returns {ReadonlyMap<string, number>}
 */
function passedBySuite({ testResults }) {
  /** @type {Map<string, number>} */
  const counts = new Map()
  for (const { name, assertionResults } of testResults) {
    const suite = suiteOf(relative(root, name))
    const passed = assertionResults.filter(({ status }) => status === "passed").length
    counts.set(suite, (counts.get(suite) ?? 0) + passed)
  }
  return counts
}
