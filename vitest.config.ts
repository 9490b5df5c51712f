import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { LongestFirst } from "./scripts/longest-first.mjs"

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** The public names stand for the sources, so that a test sees one copy of each module and needs no build. */
const alias = [
  { find: /^holdfast$/, replacement: path("src/contract/index.ts") },
  { find: /^holdfast\/(server|client|outbox|react|tabs|testing)$/, replacement: path("src/$1/index.ts") },
  { find: /^holdfast\/tabs\/worker$/, replacement: path("src/tabs/worker.ts") },
  { find: /^holdfast\/msgpack$/, replacement: path("src/protocol/msgpack.ts") },
  { find: /^holdfast\/(lmdb|redis)$/, replacement: path("src/logs/$1/index.ts") },
]

/** Only what hangs takes so long: nothing that is asserted depends on how fast or how busy the machine is. */
const HANGING_MS = 300_000

export default defineConfig({
  resolve: { alias },
  test: {
    // Many tests wait for processes, browsers and leases; others compute meanwhile.
    maxWorkers: availableParallelism() + 2,
    sequence: { sequencer: LongestFirst },
    passWithNoTests: true,
    testTimeout: HANGING_MS,
    hookTimeout: HANGING_MS,
    expect: { poll: { timeout: HANGING_MS, interval: 20 } },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "test/*.test.ts",
            "test/{contract,docs,protocol,log,hub,logs,client,react,tabs,testing}/**/*.test.ts",
          ],
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/{server,examples,package,crash}/**/*.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "sim",
          include: ["test/sim/**/*.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "chaos",
          include: ["test/chaos/**/*.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "networks",
          include: ["test/networks/**/*.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "runtimes",
          include: ["test/runtimes/**/*.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          fileParallelism: false,
        },
      },
    ],
  },
})
