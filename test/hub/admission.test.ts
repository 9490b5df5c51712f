import { channel, contract } from "holdfast"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { rig } from "./rig.ts"

const app = contract({ "room/:room": channel({ events: { said: z.string() } }) })
const channels = { "room/:room": { subscribe: true, events: { said: ({ data }: { data: string }) => data } } }

const start = (authenticate: () => unknown) =>
  rig<typeof app, unknown>(app, { authenticate, channels } as never)

describe("expiresAt", () => {
  test("in the past lets nobody in", async () => {
    const { clock, peer } = start(() => ({ expiresAt: clock.now() - 1 }))
    const ada = peer()
    await ada.hello()
    expect(ada.last("error")).toMatchObject({ code: "token_expired" })
    expect(ada.closed()).toMatchObject({ code: 4401, reason: "token_expired" })
    expect(ada.all("welcome")).toEqual([])
  })

  test.each([
    ["a number", (ms: number) => ms],
    ["a Date", (ms: number) => new Date(ms)],
  ])("that is %s ends the connection when it comes", async (_, form) => {
    const { clock, peer } = start(() => ({ expiresAt: form(clock.now() + 1_000) }))
    const ada = peer()
    await ada.hello()
    await clock.advance(999)
    expect(ada.closed()).toBeUndefined()
    await clock.advance(1)
    expect(ada.closed()).toMatchObject({ code: 4401, reason: "token_expired" })
  })

  test.each([
    ["2030-01-01T00:00:00Z"],
    ["1900000000000"],
    [new Date("no date")],
    [Number.NaN],
    [true],
    [{}],
    [1_900_000_000_000n],
  ])("that cannot be read is an error: %s", async (expiresAt) => {
    const { peer, problems } = start(() => ({ expiresAt }))
    const ada = peer()
    await ada.hello()
    expect(ada.closed()).toMatchObject({ code: 4401 })
    expect(String(problems[0]?.fields.error)).toContain("expiresAt")
  })
})

describe("the id of a user", () => {
  test.each([[{}], [["ada"]], [true], [10n], [Symbol("ada")], [() => "ada"], [Number.NaN]])(
    "that is neither string nor number is refused: %s",
    async (id) => {
      const { peer, problems } = start(() => ({ id }))
      const ada = peer()
      await ada.hello()
      expect(ada.closed()).toMatchObject({ code: 4401 })
      expect(String(problems[0]?.fields.error)).toContain("has to be a string or a number")
    },
  )

  test.each([["ada"], [7], [undefined], [null]])("may be %s", async (id) => {
    const { peer } = start(() => ({ id }))
    const ada = peer()
    await ada.hello()
    expect(ada.all("welcome")).toHaveLength(1)
  })
})

test.each([
  [false, 4403],
  [true, 1001],
])("disconnect takes effect while authenticate runs, reconnect: %s", async (reconnect, code) => {
  let finish = () => {}
  const { clock, hub, peer } = start(async () => {
    await new Promise<void>((resolve) => (finish = resolve))
    return { id: "ada" }
  })
  const ada = peer()
  await ada.hello()
  await hub.disconnect({ user: "ada", reason: "banned", reconnect })
  finish()
  await clock.settle()
  expect(ada.closed()).toEqual({ code, reason: "banned" })
  expect(ada.all("welcome")).toEqual([])
})

test("a position of a log that never was here is warned of, at most once a minute", async () => {
  const { clock, peer, problems } = start(() => ({}))
  const position = { epoch: "another", offset: 3 }
  for (let count = 0; count < 3; count++) await peer().hello({ channel: "room/a", position })
  expect(problems.map(({ text }) => text)).toEqual([expect.stringContaining("several processes")])
  await clock.advance(60_000)
  await peer().hello({ channel: "room/a", position })
  expect(problems).toHaveLength(2)
})
