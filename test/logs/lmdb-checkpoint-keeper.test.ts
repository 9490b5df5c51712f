import { expect, test } from "vitest"
import { CheckpointKeeper } from "../../src/logs/lmdb/checkpoint-keeper.ts"
import type { Checkpoints } from "../../src/logs/lmdb/checkpoints.ts"
import { lmdbLogDefaults } from "../../src/logs/lmdb/options.ts"

test("what was committed and could not be synced may have been published; what comes later is not", async () => {
  const broken = { growth: 0, make: () => Promise.reject(new Error("EIO")) } as unknown as Checkpoints
  const keeper = new CheckpointKeeper(broken, { ...lmdbLogDefaults, sync: true })
  await expect(keeper.keep()).rejects.toMatchObject({ code: "in_doubt" })
  expect(keeper.failure).toMatchObject({ code: "log_unavailable" })
})
