import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** The public names stand for the sources, so that a test sees one copy of each module and needs no build. */
const alias = [
  { find: /^holdfast$/, replacement: path("src/contract/index.ts") },
  { find: /^holdfast\/(server|client|outbox|react|tabs|testing)$/, replacement: path("src/$1/index.ts") },
  { find: /^holdfast\/tabs\/worker$/, replacement: path("src/tabs/worker.ts") },
  { find: /^holdfast\/msgpack$/, replacement: path("src/protocol/msgpack.ts") },
  { find: /^holdfast\/(lmdb|redis)$/, replacement: path("src/logs/$1/index.ts") },
]

export default defineConfig({
  resolve: { alias },
  test: {
    // The machines that run this often have two cores; more workers only make timings worse.
    maxWorkers: 2,
    passWithNoTests: true,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "test/*.test.ts",
            "test/{contract,docs,protocol,log,hub,logs,client,react,tabs,testing}/**/*.test.ts",
          ],
          testTimeout: 10_000,
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/{server,examples,package,crash}/**/*.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "sim",
          include: ["test/sim/**/*.test.ts"],
          testTimeout: 60_000,
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
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "runtimes",
          include: ["test/runtimes/**/*.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
