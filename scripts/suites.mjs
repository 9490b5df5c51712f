import { filesUnder } from "./fingerprint.mjs"

/** The suites of tests, as in vitest.config.ts. */
export const SUITES = ["unit", "integration", "networks", "runtimes", "browser", "sim", "chaos"]

/** @type {Record<string, string>} */
const BY_FOLDER = {
  server: "integration",
  examples: "integration",
  package: "integration",
  crash: "integration",
  networks: "networks",
  runtimes: "runtimes",
  browser: "browser",
  sim: "sim",
  chaos: "chaos",
}

/**
 * @param {string} file relative to the root
 */
export function suiteOf(file) {
  const [, folder = ""] = file.split("/")
  return BY_FOLDER[folder] ?? "unit"
}

/**
 * @param {string} suite
 */
export function testFiles(suite) {
  return filesUnder(["test"]).filter((file) => file.endsWith(".test.ts") && suiteOf(file) === suite)
}
