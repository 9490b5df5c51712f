import { describe, expect, test } from "vitest"
import { seeded } from "../../src/testing/seeded.ts"
import { sharedLog } from "../../src/testing/shared-log.ts"
import { virtualClock } from "../../src/testing/virtual-clock.ts"
import { journaledLog } from "./journaled-log.ts"
import { type Node, nodes } from "./node-rig.ts"
import { noTrouble, troubled } from "./troubled-log.ts"
import { CHANNEL, Wanderer } from "./wanderer.ts"

const STEPS = 25
const SEEDS = 100

/** A client that wanders between three nodes, of which two are replaced now and then, while somebody watches at the third. */
async function run(seed: number, steps: readonly Step[]) {
  const chance = seeded(seed)
  const clock = virtualClock()
  const engine = journaledLog({ now: clock.monotonic, tombstonesPerCollectionMax: 2 })
  const log = troubled(sharedLog(engine.log), clock, chance)
  const { all, start } = nodes(3, {}, clock, log.log)
  const observer = all[2].peer()
  await observer.hello({ channel: CHANNEL })
  const client = new Wanderer(clock, chance, () => chance.pick(all))
  const world: World = { chance, clock, all, start, client, log, engine }
  await chance.pick([toConnection, toRequests])(world)
  const trace: string[] = []
  for (let n = 0; n < STEPS; n++) {
    await clock.advance(chance.pick([20, 500, 3_000, 10_000]))
    const step = chance.pick(steps)
    trace.push(step.name)
    await step(world)
  }
  await clock.advance(60_000)
  const moods = async () =>
    [...(await all[0].hub.channel("room/:room", { room: "lobby" }).members()).values()].map(
      ({ mood }) => mood,
    )
  const listed = await moods()
  const [joins, lefts] = [observer.all("join").length, observer.all("left").length]
  client.vanish()
  await clock.advance(14_000)
  return { client, listed, joins, lefts, listedInTheEnd: await moods(), trace: trace.join(", ") }
}

interface World {
  readonly chance: ReturnType<typeof seeded>
  readonly clock: ReturnType<typeof virtualClock>
  readonly all: [Node, Node, Node]
  readonly start: () => Node
  readonly client: Wanderer
  readonly log: ReturnType<typeof troubled>
  readonly engine: ReturnType<typeof journaledLog>
}

type Step = (world: World) => unknown

const enter: Step = ({ client }) => client.enter()
const leave: Step = ({ client }) => client.leave()
const toConnection: Step = ({ client }) => client.toConnection()
const toRequests: Step = ({ client }) => client.toRequests()
const lose: Step = ({ client }) => client.lose()

const drain: Step = async ({ chance, clock, all, start, client }) => {
  const at = chance.between(0, 1)
  const node = all[at] as Node
  all[at] = start()
  client.leaveNode(node)
  await clock.advance(2_000)
  await clock.run(
    node.hub.handOverMembers().then(() => node.hub.close()),
    60_000,
  )
}

const kill: Step = async ({ chance, clock, all, start, client }) => {
  const at = chance.between(0, 1)
  const node = all[at] as Node
  node.kill()
  all[at] = start()
  client.loseNode(node)
  // two in a row would take longer than the grace
  await clock.advance(5_000)
}

/** Others come and go, so that the log forgets removals. */
const crowd: Step = async ({ clock, all }) => {
  const peer = all[2].peer()
  await peer.hello()
  const ask = { channel: CHANNEL, data: { mood: "crowded" } }
  for (let id = 1; id < 4; id++) {
    const other = all[2].peer()
    await other.hello()
    other.send({ ...ask, type: "enter", id, version: clock.now() + id })
    await clock.settle()
    other.leave()
  }
}

const cutOff: Step = ({ chance, clock, all, engine }) => {
  const { way } = chance.pick(all)
  way.open = false
  clock.after(chance.between(0, 20_000), () => {
    way.open = true
    void engine.tellHeads()
  })
}

const troubleLog: Step = ({ chance, clock, log }) => {
  Object.assign(log.trouble, {
    appendMsMax: chance.pick([0, 1_000, 4_000]),
    refused: chance.pick([0, 50]),
    doubtful: chance.pick([0, 50]),
  })
  clock.after(chance.between(0, 10_000), () => Object.assign(log.trouble, noTrouble))
}

const setClock: Step = ({ chance, clock, all }) => {
  const node = chance.pick(all)
  node.skewMs = chance.pick([-3_600_000, -30_000, 30_000, 3_600_000])
  clock.after(chance.between(0, 30_000), () => {
    node.skewMs = 0
  })
}

/** Nobody reaches it meanwhile, and what was appended since some time ago is gone. */
const loseTail: Step = ({ chance, clock, all, engine }) => {
  const backup = engine.backUp()
  clock.after(chance.between(1_000, 4_000), async () => {
    const ways = all.map(({ way }) => way).filter(({ open }) => open)
    for (const way of ways) way.open = false
    await engine.restore(backup)
    clock.after(300, () => {
      for (const way of ways) way.open = true
      void engine.tellHeads()
    })
  })
}

const orderly: readonly Step[] = [enter, leave, toConnection, toRequests, lose, drain]
const troubles: readonly Step[] = [kill, cutOff, troubleLog, loseTail, setClock, crowd]
const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1)

describe("a client that wanders between connections, requests and nodes", () => {
  test.each([
    ["", orderly],
    [", also when nodes are killed", [...orderly, kill]],
  ])(
    "is in when it has entered, and is seen to come and go only then%s",
    async (_, steps) => {
      for (const seed of seeds) {
        const { client, listed, joins, lefts, listedInTheEnd, trace } = await run(seed, steps)
        const told = `seed ${seed}: ${trace}`
        expect(listed, told).toEqual(client.mood === undefined ? [] : [client.mood])
        expect(joins, told).toBeLessThanOrEqual(client.enters)
        expect(lefts, told).toBeLessThanOrEqual(client.leaves)
        expect(listedInTheEnd, told).toEqual([])
      }
    },
    300_000,
  )

  test("is in when it has entered and gone when it is, though nodes, log, clocks and network fail", async () => {
    for (const seed of seeds) {
      const { client, listed, listedInTheEnd, trace } = await run(seed, [...orderly, ...troubles])
      const told = `seed ${seed}: ${trace}`
      expect(listed, told).toEqual(client.mood === undefined ? [] : [client.mood])
      expect(listedInTheEnd, told).toEqual([])
    }
  }, 300_000)
})
