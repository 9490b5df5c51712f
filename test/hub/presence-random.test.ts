import { describe, expect, test } from "vitest"
import { seeded } from "../../src/testing/seeded.ts"
import { sharedLog } from "../../src/testing/shared-log.ts"
import { virtualClock } from "../../src/testing/virtual-clock.ts"
import { journaledLog } from "./journaled-log.ts"
import { type Node, nodes } from "./node-rig.ts"
import { noTrouble, troubled } from "./troubled-log.ts"
import { CHANNEL, wanderer } from "./wanderer.ts"

const STEPS = 25
const SEEDS = 200

/** A client that wanders between three nodes, of which two are replaced now and then, while somebody watches at the third. */
async function run(seed: number, steps: readonly Step[]) {
  const chance = seeded(seed)
  const clock = virtualClock()
  const engine = journaledLog()
  const log = troubled(sharedLog(engine.log), CHANNEL, clock, chance)
  const { all, start } = nodes(3, {}, log.log, clock)
  await clock.advance(2_500)
  log.trouble.toldAfterMs = chance.pick([0, 5, 10])
  const observer = all[2].peer()
  await observer.hello({ channel: CHANNEL })
  const client = wanderer(clock, chance, () => chance.pick(all))
  const world: World = { chance, clock, all, start, client, log, engine }
  await chance.pick([toLine, toRequests])(world)
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
  const left = observer.all("left").length
  client.vanish()
  await clock.advance(12_000)
  const listedInTheEnd = await moods()
  observer.leave()
  await clock.advance(20_000)
  return { client, listed, left, listedInTheEnd, watchers: log.watchers(), trace: trace.join(", ") }
}

interface World {
  readonly chance: ReturnType<typeof seeded>
  readonly clock: ReturnType<typeof virtualClock>
  readonly all: [Node, Node, Node]
  readonly start: () => Node
  readonly client: ReturnType<typeof wanderer>
  readonly log: ReturnType<typeof troubled>
  readonly engine: ReturnType<typeof journaledLog>
}

type Step = (world: World) => Promise<void>

const enter: Step = ({ client }) => client.enter()
const leave: Step = ({ client }) => client.leave()
const toLine: Step = ({ client }) => client.toLine()
const toRequests: Step = ({ client }) => client.toRequests()
const loseLine: Step = ({ client }) => client.loseLine()

const drain: Step = async ({ chance, clock, all, start, client }) => {
  const at = chance.between(0, 1)
  const node = all[at] as Node
  all[at] = start()
  await clock.advance(2_500)
  await client.leaveNode(node)
  const over = node.hub.handOverMembers().then(() => node.hub.close())
  await clock.advance(4_000)
  await clock.run(over, 60_000)
}

const kill: Step = async ({ chance, all, start, client }) => {
  const at = chance.between(0, 1)
  const node = all[at] as Node
  node.kill()
  all[at] = start()
  await client.loseNode(node)
}

const hearNothing: Step = async ({ chance, clock, all }) => {
  const { way } = chance.pick(all)
  way.told = false
  clock.after(chance.between(0, 8_000), () => {
    way.told = true
  })
}

const cutOff: Step = async ({ chance, clock, all, engine }) => {
  const { way } = chance.pick(all)
  way.open = false
  clock.after(chance.between(0, 20_000), () => {
    way.open = true
    void engine.tellHeads()
  })
}

const troubleLog: Step = async ({ chance, clock, log }) => {
  const { toldAfterMs } = log.trouble
  Object.assign(log.trouble, {
    appendMsMax: chance.pick([0, 4_000, 8_000]),
    refused: chance.pick([0, 50]),
    doubtful: chance.pick([0, 50]),
  })
  clock.after(chance.between(0, 10_000), () => Object.assign(log.trouble, { ...noTrouble, toldAfterMs }))
}

/** Nobody reaches it meanwhile, and what was appended since some time ago is gone. */
const loseTail: Step = async ({ chance, clock, all, engine }) => {
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

const orderly: readonly Step[] = [enter, leave, toLine, toRequests, loseLine, drain]
const troubles: readonly Step[] = [kill, hearNothing, cutOff, troubleLog, loseTail]
const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1)

describe("a client that wanders between lines, requests and nodes", () => {
  test.each([
    ["", orderly],
    [", also when nodes are killed", [...orderly, kill]],
  ])(
    "is in when it has entered, and is seen to leave when it has left%s",
    async (_, steps) => {
      for (const seed of seeds) {
        const { client, listed, left, listedInTheEnd, watchers, trace } = await run(seed, steps)
        const told = `seed ${seed}: ${trace}`
        expect(listed, told).toEqual(client.mood() === undefined ? [] : [client.mood()])
        expect(left, told).toBeLessThanOrEqual(client.leaves())
        expect(listedInTheEnd, told).toEqual([])
        // a node that was killed gives nothing up
        if (!steps.includes(kill)) expect(watchers, told).toBe(0)
      }
    },
    300_000,
  )

  test("is in when it has entered and gone when it is, though nodes, log and network fail", async () => {
    for (const seed of seeds) {
      const { client, listed, listedInTheEnd, trace } = await run(seed, [...orderly, ...troubles])
      const told = `seed ${seed}: ${trace}`
      expect(listed, told).toEqual(client.mood() === undefined ? [] : [client.mood()])
      expect(listedInTheEnd, told).toEqual([])
    }
  }, 300_000)
})
