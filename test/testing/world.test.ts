import { expect, it } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import { testWorld } from "../../src/testing/index.ts"

const app = contract({
  "room/:room": channel({
    events: { said: z.object({ text: z.string() }) },
    presence: z.object({ name: z.string() }),
    calls: { double: { input: z.number(), output: z.number() } },
  }),
})

const make = () =>
  testWorld(app, {
    channels: {
      "room/:room": {
        subscribe: true,
        events: { said: ({ data }) => data },
        presence: ({ data }) => data,
        calls: { double: ({ input }) => 2 * input },
      },
    },
  })

it("carries what one client publishes to another", async () => {
  const { clock, connect } = make()
  const [ada, bob] = [connect(), connect()].map((client) => client.channel("room/:room", { room: "lobby" }))
  const heard: string[] = []
  bob?.on("said", ({ text }) => heard.push(text))
  await clock.run(bob!.ready())
  const position = await clock.run(ada!.publish("said", { text: "hello" }))
  await clock.until(() => heard.length > 0)
  expect(heard).toEqual(["hello"])
  expect(position.offset).toBe(1)
  expect(clock.monotonic()).toBeLessThan(10)
})

it("repeats itself to the millisecond", async () => {
  const run = async () => {
    const { clock, connect, network } = make()
    const passed: string[] = []
    network.onMessage(({ direction, message }) =>
      passed.push(`${clock.monotonic()} ${direction} ${JSON.stringify(message)}`),
    )
    const lobby = connect().channel("room/:room", { room: "lobby" })
    lobby.on("said", () => {})
    await clock.run(lobby.ready())
    network.lines()[0]?.cut()
    await clock.run(lobby.publish("said", { text: "again" }))
    return passed
  }
  expect(await run()).toEqual(await run())
})

it("goes on after a restart of the hub", async () => {
  const world = make()
  const lobby = world.connect().channel("room/:room", { room: "lobby" })
  const heard: string[] = []
  lobby.on("said", ({ text }) => heard.push(text))
  await world.clock.run(lobby.publish("said", { text: "before" }))
  world.restart()
  await world.clock.run(lobby.publish("said", { text: "after" }))
  await world.clock.until(() => heard.length === 2)
  expect(heard).toEqual(["before", "after"])
  expect(lobby.stats).toMatchObject({ delivered: 2, gaps: 0 })
})
