import { once } from "node:events"
import { createInterface } from "node:readline"
import { describe, expect, test } from "vitest"
import { chaos } from "../../chaos/chaos.ts"
import { type Defect, defects } from "../../chaos/defects.ts"
import { type Fault, faults } from "../../chaos/faults.ts"
import { descendantsOf } from "../support/descendants.ts"
import { isAlive } from "../support/is-alive.ts"
import { program } from "../support/program.ts"
import { spawnTsx } from "../support/tsx-process.ts"

/** Only what hangs takes so long to settle. */
const SETTLE_MS = 240_000

describe.skipIf(!program("redis-server"))("chaos", () => {
  test("nothing is lost, doubled or disordered, whatever happens to nodes, engine and network", async () => {
    const tally = await chaos({
      seed: 7,
      nodes: 3,
      clients: 45,
      publishesPerSecond: 40,
      goesOn: (rounds) => rounds < 2,
      faultsPerRound: 7,
      faultEveryMs: 1_500,
      lossEvery: 2,
      settleMs: SETTLE_MS,
    })
    const { complaints, absences, trail, situation } = tally
    expect([...complaints, ...absences], [...trail, ...situation].join("\n")).toEqual([])
    expect(tally.rounds).toBe(2)
    expect([...tally.faults.values()].reduce((sum, count) => sum + count, 0)).toBe(15)
    // otherwise nothing was put to the test
    expect(tally.reconnects).toBeGreaterThan(45)
    expect(tally.gaps).toBeGreaterThan(0)
  })

  test.each(["SIGINT", "SIGTERM"] as const)(
    "leaves nothing behind when it is ended by %s",
    async (signal) => {
      const main = spawnTsx("chaos/main.ts", ["--nodes", "2", "--clients", "4"])
      for await (const line of createInterface({ input: main.stdout })) if (line.includes("clients at")) break
      const started = descendantsOf(main.pid as number)
      // an engine and two nodes
      expect(started.length).toBeGreaterThanOrEqual(3)
      main.kill(signal)
      await once(main, "exit")
      await expect.poll(() => started.filter(isAlive)).toEqual([])
    },
  )

  /** What has to go wrong beside a defect before it shows, and what is complained of then. */
  const plans: Readonly<Record<Defect, { readonly among: readonly Fault[]; readonly found: RegExp }>> = {
    "acknowledges before it appends": {
      among: [faults.killNode],
      found: /was acknowledged and is not in the log/,
    },
    // what was sent to it is served when it goes on, and was sent to another one meanwhile
    "forgets idempotency keys": { among: [faults.freezeNode], found: /is in the log twice/ },
    "appends twice": { among: [faults.cutLines], found: /is in the log twice/ },
    "loses one of what is told": { among: [faults.cutLines], found: /was not given \d+ at/ },
    "tells another's contents": { among: [faults.cutLines], found: /was given \d+ at \d+, where \d+ is/ },
    "hides a new epoch": {
      among: [faults.cutLines],
      found: /not told that the engine has lost|stands at|not in/,
    },
  }

  // each spends most of its time waiting
  test.concurrent.each(Object.keys(defects) as Defect[])("a node that %s is found out", async (defect) => {
    const { among, found } = plans[defect]
    const { complaints } = await chaos({
      seed: 1,
      nodes: 2,
      clients: 20,
      publishesPerSecond: 200,
      // it ends with the first complaint
      goesOn: (rounds) => rounds < 20,
      faultsPerRound: 5,
      faultEveryMs: 1_000,
      lossEvery: defect === "hides a new epoch" ? 1 : 0,
      // whoever hears nothing of a new epoch never comes to the end of the log
      settleMs: defect === "hides a new epoch" ? 20_000 : SETTLE_MS,
      among,
      defect,
    })
    expect(complaints).toContainEqual(expect.stringMatching(found))
  })
})
