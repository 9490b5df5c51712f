import { expect, it } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import { rig } from "./rig.ts"

const app = contract({
  "brief/:name": channel({ events: { tick: z.number() }, keep: { forMs: 1_000, removalsForMs: 0 } }),
  "quiet/:name": channel({ events: { tick: z.number() }, state: { price: z.number() } }),
})

it("reports no gap in a channel in which nothing happened while others were forgotten", async () => {
  const { hub, log, clock, peer } = rig(app, {
    channels: { "brief/:name": { subscribe: true }, "quiet/:name": { subscribe: true } },
  })
  const first = peer()
  await first.hello({ channel: "quiet/a" })
  for (let n = 0; n < 5; n++) {
    for (let tick = 0; tick <= n; tick++)
      await hub.channel("brief/:name", { name: `b${n}` }).publish("tick", tick)
  }
  await clock.advance(200_000)
  expect((await log.head("brief/b4")).base).toBe(5)
  const { position } = first.last("subscribed")
  first.cut()
  const second = peer()
  await second.hello({ channel: "quiet/a", position })
  expect(second.last("subscribed")).toMatchObject({ position })
  await hub.channel("quiet/:name", { name: "a" }).publish("tick", 1)
  await clock.settle()
  expect(second.all("gap")).toEqual([])
  expect(second.all("event").map(({ data }) => data)).toEqual([1])
})

it("reports a gap in a channel that was forgotten and used again while a client was away", async () => {
  const { hub, clock, peer } = rig(app, { channels: { "brief/:name": { subscribe: true } } })
  const brief = hub.channel("brief/:name", { name: "a" })
  const first = peer()
  await first.hello({ channel: "brief/a" })
  const { position } = first.last("subscribed")
  first.cut()
  for (let n = 0; n < 3; n++) await brief.publish("tick", n)
  await clock.advance(200_000)
  await brief.publish("tick", 3)
  const second = peer()
  await second.hello({ channel: "brief/a", position })
  expect(second.all("gap")).toMatchObject([{ reason: "trimmed", to: { offset: 3 }, snapshot: false }])
  expect(second.last("gap").collections).toBeUndefined()
  expect(second.all("event").map(({ offset }) => offset)).toEqual([4])
})
