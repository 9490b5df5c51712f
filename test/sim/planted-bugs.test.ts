import { afterAll, describe, expect, test } from "vitest"
import { type PlantName, plantNames } from "../../sim/plants/catalog.ts"
import { openPool } from "../../sim/pool.ts"

/** By then, each has to be found. */
const SEEDS_MAX = 200

const pool = openPool(2)
const found = new Map<PlantName, string>()

afterAll(() => {
  pool.close()
  const width = Math.max(...plantNames.map((name) => name.length))
  for (const name of plantNames) console.log(`${name.padEnd(width)}  ${found.get(name) ?? "not found"}`)
})

describe.concurrent("the simulation finds a hub or a client that", () => {
  // it ends by itself, however long the machine takes
  test.each(plantNames)("%s", { timeout: 0 }, async (plant) => {
    for (let seed = 1; seed <= SEEDS_MAX && !found.has(plant); seed++) {
      const { violations } = await pool.run({ seed, plant })
      if (violations[0] !== undefined) found.set(plant, `seed ${seed}  ${violations[0].split("\n")[0]}`)
    }
    expect(found.get(plant)).toBeDefined()
  })
})
