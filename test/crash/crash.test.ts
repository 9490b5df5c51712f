import { expect, test } from "vitest"
import { complaints } from "../../chaos/account.ts"
import { seeded } from "../../src/testing/seeded.ts"
import { Crowd, Member } from "./crowd.ts"
import { temporaryFolder } from "./folder.ts"
import { eventsInFolder } from "./log-reader.ts"
import { type Defect, ServerProcess } from "./server-process.ts"

/** How often the server is killed. HOLDFAST_CRASHES=20 is for when there is more time than in every run of the tests. */
const CRASHES = Number(process.env.HOLDFAST_CRASHES ?? 5)
const CLIENTS = 20
const PUBLISHES = 10_000
/** For one crash and what belongs to it, on a machine that has other things to do. */
const PATIENCE_MS = 300_000

interface Scene {
  readonly folder: string
  readonly server: ServerProcess
  readonly crowd: Crowd
}

async function scene(clients: number, defect?: Defect): Promise<Scene> {
  const folder = temporaryFolder()
  const server = new ServerProcess(folder, defect)
  await server.start()
  return { folder, server, crowd: new Crowd(server.url, clients) }
}

/**
 * Publishes by all clients at once, and kills the server at the acknowledgement with the number `killAt`. Resolves with
 * what its folder holds behind `after`, and with the promise that everything is acknowledged, by the next server.
 */
async function crash({ crowd, server, folder }: Scene, round: number, killAt: number, after: number) {
  const killed = new Promise<void>((resolve, reject) => {
    crowd.handleAcknowledged = (count) => {
      if (count === killAt) server.kill().then(resolve, reject)
    }
  })
  const published = crowd.publish(round, PUBLISHES)
  await killed
  return { kept: await eventsInFolder(folder, after), published }
}

test(
  `a server that is killed amid ${PUBLISHES} publishes loses and repeats nothing, ${CRASHES} times`,
  async () => {
    const here = await scene(CLIENTS)
    const { crowd, server, folder } = here
    const { between } = seeded(CRASHES)
    await crowd.enter()
    let accounted = 0
    let appendedInDoubt = 0
    for (let round = 0; round < CRASHES; round++) {
      const killAt = between(PUBLISHES * 0.05, PUBLISHES * 0.95)
      const { kept, published } = await crash(here, round, killAt, accounted)
      expect(kept.length).toBeGreaterThanOrEqual(killAt)
      appendedInDoubt += kept.length - killAt
      await server.start()
      await published
      const log = await eventsInFolder(folder, accounted)
      accounted = log.at(-1)?.offset ?? 0
      await crowd.reach(accounted)
      expect(log).toHaveLength(PUBLISHES)
      expect(complaints(crowd.takeAccount(log)).slice(0, 10)).toEqual([])
      await crowd.seeEachOther()
    }
    if (process.env.HOLDFAST_CRASHES !== undefined) {
      console.info(`${CRASHES} crashes: ${appendedInDoubt} events were in the log and not acknowledged`)
    }
    // Otherwise nothing was put to the test: that what is sent again for want of an answer is appended once.
    expect(appendedInDoubt).toBeGreaterThan(0)
    await server.stop()
    expect(await eventsInFolder(folder, 0)).toHaveLength(CRASHES * PUBLISHES)
    for (const { room } of crowd.members) {
      expect(room.stats).toMatchObject({ delivered: CRASHES * PUBLISHES, duplicates: 0, gaps: 0 })
    }
  },
  (CRASHES + 1) * PATIENCE_MS,
)

test(
  "a log that acknowledges before it appends is found out",
  async () => {
    const here = await scene(CLIENTS, "acknowledges early")
    await here.crowd.ready()
    const { published } = await crash(here, 0, PUBLISHES / 2, 0)
    await here.server.start()
    await published
    await here.server.stop()
    const found = complaints(here.crowd.takeAccount(await eventsInFolder(here.folder, 0)))
    expect(found).toContainEqual(expect.stringMatching(/was acknowledged and is not in the log$/))
  },
  PATIENCE_MS,
)

test(
  "who does not come back after a crash leaves, and who does stays",
  async () => {
    const { server, crowd } = await scene(3)
    const leaver = new Member(server.url, "the one who goes")
    await leaver.enter()
    await Promise.all(crowd.members.map((member) => member.enter()))
    await crowd.see([leaver, ...crowd.members])
    await server.kill()
    leaver.client.close()
    const left = crowd.see(crowd.members)
    await server.start()
    await left
    const departures = crowd.members.map((member) => member.departures)
    expect(departures).toEqual(crowd.members.map(() => [leaver.name]))
  },
  PATIENCE_MS,
)

test(
  "a server that is stopped and started has its history, and its clients carry on",
  async () => {
    const { server, crowd, folder } = await scene(3)
    await crowd.enter()
    await crowd.publish(0, 300)
    const before = crowd.members.map(({ room }) => room.position)
    await server.stop()
    await server.start()
    await crowd.publish(1, 300)
    await crowd.seeEachOther()
    const log = await eventsInFolder(folder, 0)
    const newcomer = new Member(server.url, "the newcomer", "all")
    await Promise.all([crowd.reach(log.at(-1)?.offset ?? 0), newcomer.reach(log.at(-1)?.offset ?? 0)])
    expect(complaints(crowd.takeAccount(log))).toEqual([])
    expect(newcomer.takeDelivered()).toEqual(log)
    for (const [index, { room }] of crowd.members.entries()) {
      expect(room.position?.epoch).toBe(before[index]?.epoch)
      expect(room.stats).toMatchObject({ duplicates: 0, gaps: 0 })
    }
  },
  PATIENCE_MS,
)
