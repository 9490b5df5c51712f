import { expect, test } from "vitest"
import { seeded } from "../../src/testing/seeded.ts"
import { rig } from "./rig.ts"

const lobby = { room: "lobby" }
const STEPS = 120

/** Two clients that publish, set and listen while their lines are cut, go dark and stall. */
async function run(seed: number) {
  const chance = seeded(seed)
  const { clock, network, hub, client, lineOf } = rig({
    limits: { heartbeatMs: 500, messageBytesMax: 4_096 },
  })
  network.conditions.latencyMs = () => chance.between(0, 40)
  const names = ["ada", "bob"] as const
  const clients = names.map((name) => client(name, { backoff: { minMs: 20, maxMs: 400 } }))
  const rooms = clients.map((each) => each.channel("room/:room", lobby, { history: "all" }))
  const heard: string[][] = rooms.map(() => [])
  rooms.forEach((room, index) => {
    room.on("said", ({ text }) => heard[index]?.push(text))
    room.state("price").onChange(() => undefined)
    void room.presence.enter({ name: names[index] ?? "" })
  })
  const answers: Promise<unknown>[] = []
  for (let step = 0; step < STEPS; step++) {
    const who = chance.between(0, 1)
    const room = rooms[who] as (typeof rooms)[number]
    const name = names[who] as string
    const what = chance.random()
    if (what < 0.25) answers.push(room.publish("said", { text: `${name} ${step}` }))
    else if (what < 0.45) answers.push(room.state("price").set(`${chance.between(0, 4)}`, step))
    else if (what < 0.5) answers.push(room.state("price").delete(`${chance.between(0, 4)}`))
    else if (what < 0.65) lineOf(name)?.cut()
    else if (what < 0.7) lineOf(name)?.blackHole()
    else if (what < 0.75) lineOf(name)?.stall()
    else if (what < 0.85) lineOf(name)?.flow()
    await clock.advance(chance.between(0, 60))
  }
  await clock.advance(60_000)
  await Promise.all(answers)
  const server = hub.channel("room/:room", lobby)
  return {
    heard,
    log: (await server.history({ last: 1_000 })).map((entry) =>
      entry.name === "said" ? entry.data.text : "",
    ),
    states: rooms.map((room) => new Map(room.state("price").entries())),
    state: await server.state("price"),
    members: rooms.map((room) => new Set(room.presence.members.keys())),
    present: new Set((await server.members()).keys()),
    gaps: rooms.map((room) => room.stats.gaps),
  }
}

const ownOf = (texts: readonly string[], name: string) => texts.filter((text) => text.startsWith(name))
const steps = (texts: readonly string[]) => texts.map((text) => Number(text.split(" ")[1]))

test.each(Array.from({ length: 40 }, (_, seed) => seed))(
  "whatever happens to the lines, seed %i",
  async (seed) => {
    const { heard, log, states, state, members, present, gaps } = await run(seed)
    expect(gaps).toEqual([0, 0])
    for (const each of heard) expect(each).toEqual(log)
    for (const each of states) expect(each).toEqual(state)
    for (const each of members) expect(each).toEqual(present)
    expect(present.size).toBe(2)
    for (const name of ["ada", "bob"]) {
      const own = steps(ownOf(log, name))
      expect(own).toEqual([...new Set(own)].sort((a, b) => a - b))
    }
  },
)
