import { afterAll, describe, expect, test } from "vitest"
import { type BugName, bugNames } from "../../sim/bugs/catalog.ts"
import { openPool } from "../../sim/pool.ts"

/** By then, each has to be found. */
const SEEDS_MAX = 200

const pool = openPool(2)
const found = new Map<BugName, string>()

afterAll(() => {
  pool.close()
  const width = Math.max(...bugNames.map((name) => name.length))
  for (const name of bugNames) console.log(`${name.padEnd(width)}  ${found.get(name) ?? "not found"}`)
})

describe.concurrent("the simulation finds a hub or a client that", () => {
  // it ends by itself, however long the machine takes
  test.each(bugNames)("%s", { timeout: 0 }, async (bug) => {
    for (let seed = 1; seed <= SEEDS_MAX && !found.has(bug); seed++) {
      const { violations } = await pool.run({ seed, bug })
      if (violations[0] !== undefined) found.set(bug, `seed ${seed}  ${violations[0].split("\n")[0]}`)
    }
    expect(found.get(bug)).toBeDefined()
  })
})
