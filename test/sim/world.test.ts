import { afterAll, beforeAll, expect, test } from "vitest"
import { openPool } from "../../sim/pool.ts"
import { faults } from "../../sim/profile.ts"
import { Tally } from "../../sim/tally.ts"

const SEEDS = 100

const pool = openPool(2)
const tally = new Tally()

beforeAll(async () => {
  const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1)
  for (const { counts } of await Promise.all(seeds.map((seed) => pool.run({ seed })))) tally.addAll(counts)
  // it ends by itself, however long the machine takes
}, 0)

afterAll(() => {
  pool.close()
})

// a fault that never strikes finds nothing
test.each([
  ...faults.map((fault) => `fault ${fault}`),
  "fault reconnect",
  "writes to a full line",
  "appends refused",
  "appends found again",
  "notifications lost",
  "requests lost with their node",
  "events live",
  "events replayed",
  "values told",
  "signals told",
  "gaps told, trimmed",
  "gaps told, new-epoch",
  "gaps in all",
  "gaps in events",
  "gaps in state/value",
  "gaps in state/mark",
  "gaps in presence",
  "followers checked",
  "states read",
  "runs with presence known",
  "failed with in_doubt",
  "failed with connection_lost",
  "failed with log_unavailable",
  "failed with timeout",
  "failed with quota_exceeded",
])(`within ${SEEDS} seeds it happens at least ten times: %s`, (name) => {
  expect(tally.of(name)).toBeGreaterThanOrEqual(10)
})
