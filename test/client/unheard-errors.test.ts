import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import { testWorld } from "../../src/testing/world.ts"

const app = contract({
  open: channel({ events: { said: z.string() } }),
  secret: channel({ events: { said: z.string() } }),
})

let shown: unknown[] = []
beforeEach(() => {
  shown = []
  vi.spyOn(console, "error").mockImplementation((error) => shown.push(error))
})
afterEach(() => vi.restoreAllMocks())

function world() {
  const quiet = { warn: () => {}, error: () => {} }
  return testWorld(app, {
    logger: quiet,
    authenticate: ({ token }) => {
      if (token === "wrong") throw new Error("no such token")
      return { id: "ada" }
    },
    channels: { open: { subscribe: true }, secret: { subscribe: () => false } },
  })
}

test("a refusal that ready has said is shown nowhere else", async () => {
  const { connect, clock } = world()
  const refused = connect().channel("secret").ready()
  await expect(clock.run(refused)).rejects.toMatchObject({ code: "not_allowed" })
  await clock.advance(1_000)
  expect(shown).toEqual([])
})

test("a refusal that nobody hears is written to the console once", async () => {
  const { connect, clock } = world()
  connect().channel("secret").subscribe()
  await clock.advance(5_000)
  expect(shown).toMatchObject([{ code: "not_allowed" }])
})

test("a revoked channel that nobody listens to for errors is written to the console once", async () => {
  const { connect, clock, hub } = world()
  await clock.run(connect().channel("open").ready())
  await clock.run(hub.channel("open", {}).revoke("ada", "enough"))
  await clock.advance(5_000)
  expect(shown).toMatchObject([{ code: "revoked" }])
})

test("a wrong token is written to the console when nobody listens for errors", async () => {
  const { connect, clock } = world()
  const client = connect({ token: "wrong" })
  await clock.advance(100)
  client.close()
  // once for each attempt
  expect(shown[0]).toMatchObject({ code: "unauthorized" })
})

test("a listener that rejects is reported as the client's error", async () => {
  const { connect, clock, hub } = world()
  const client = connect()
  const errors: unknown[] = []
  client.on("error", (error) => errors.push(error))
  const room = client.channel("open")
  room.on("said", async () => {
    throw new Error("the application's own")
  })
  await clock.run(room.ready())
  await clock.run(hub.channel("open", {}).publish("said", "hello"))
  await clock.advance(1_000)
  expect(errors).toMatchObject([{ message: "the application's own" }])
  expect(shown).toEqual([])
})
