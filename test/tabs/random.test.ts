import type { Client, GapChange } from "holdfast/client"
import { seeded } from "holdfast/testing"
import { describe, expect, test } from "vitest"
import { type app, tabs } from "./rig.ts"

const CHANNELS = ["room/:room", "plain/:name"] as const

/** What a subscriber of one channel was told, in order. */
interface Account {
  readonly pattern: (typeof CHANNELS)[number]
  readonly told: (number | GapChange)[]
  /** What was published before its subscription was live is none of its business, unless it asked for history. */
  readonly history: boolean
  readonly client: Client<typeof app>
}

/** A crowd of tabs and one lone client, a server that publishes, and lines that break: each run from one seed. */
async function run(seed: number) {
  const chance = seeded(seed)
  const rig = tabs({ seed })
  rig.network.conditions.latencyMs = () => chance.between(1, 30)
  const crowd = Array.from({ length: 4 }, () => rig.tab())
  const accounts: Account[] = []
  const published: Record<string, number[]> = { "room/:room": [], "plain/:name": [] }
  const channelOf = (client: Client<typeof app>, pattern: Account["pattern"], history: boolean) =>
    pattern === "room/:room"
      ? client.channel(pattern, { room: "x" }, history ? { history: "all" } : {})
      : client.channel(pattern, { name: "x" }, history ? { history: "all" } : {})
  const begin = (client: Client<typeof app>, pattern: Account["pattern"], history = chance.chance(0.5)) => {
    const account: Account = { pattern, told: [], history, client }
    const channel = channelOf(client, pattern, history)
    channel.on("said", (data) => account.told.push(data))
    channel.onGap((gap) => account.told.push(gap))
    accounts.push(account)
    return () => channel.close()
  }
  const ends = new Map<string, () => void>()
  const toggle = (index: number, pattern: Account["pattern"]) => {
    const key = `${index} ${pattern}`
    const end = ends.get(key)
    if (end === undefined) ends.set(key, begin(crowd[index]!.client, pattern))
    else {
      end()
      ends.delete(key)
    }
  }
  const lone = rig.connect()
  for (const pattern of CHANNELS) begin(lone, pattern, true)
  for (const index of crowd.keys()) for (const pattern of CHANNELS) toggle(index, pattern)

  let said = 0
  const say = async (index: number | undefined) => {
    const pattern = chance.pick(CHANNELS)
    const value = ++said
    const by = ends.has(`${index} ${pattern}`) ? crowd[index as number]?.client : undefined
    if (by === undefined) {
      if (pattern === "room/:room") await rig.hub.channel(pattern, { room: "x" }).publish("said", value)
      else await rig.hub.channel(pattern, { name: "x" }).publish("said", value)
      published[pattern]!.push(value)
    } else {
      channelOf(by, pattern, false)
        .publish("said", value)
        .then(
          () => published[pattern]!.push(value),
          () => undefined,
        )
    }
  }
  for (let step = 0; step < 300; step++) {
    const what = chance.between(1, 100)
    const index = chance.between(0, crowd.length - 1)
    if (what <= 45) await say(undefined)
    else if (what <= 60) await say(index)
    else if (what <= 70)
      await rig.hub.channel("room/:room", { room: "x" }).set("price", chance.pick(["a", "b"]), step)
    else if (what <= 80) toggle(index, chance.pick(CHANNELS))
    else if (what <= 84) crowd[index]!.cut()
    else if (what <= 86) crowd[index]!.client.reconnect()
    else if (what <= 88) rig.handOver()
    else if (what <= 90) for (const line of rig.lines()) line.cut()
    else if (what <= 91) for (const line of rig.lines()) line.stall()
    else if (what <= 92) rig.hub.disconnectAll({ reason: "deploy", reconnect: true, spreadMs: 50 })
    await rig.clock.advance(chance.between(0, 40))
  }
  for (const line of rig.lines()) line.flow()
  await rig.clock.advance(180_000)
  return { rig, accounts, published, crowd, lone, ends }
}

describe.each(Array.from({ length: 30 }, (_, index) => index + 1))("seed %i", (seed) => {
  test("each tab is told what a client of its own would be: in order, once, and of every loss", async () => {
    const { rig, accounts, published, crowd, lone, ends } = await run(seed)
    const open = new Set<string>([...ends.keys()])
    for (const { pattern, told, history, client } of accounts) {
      const heard = told.filter((each) => typeof each === "number")
      // nothing twice
      expect(new Set(heard).size).toBe(heard.length)
      const index = crowd.findIndex((tab) => tab.client === client)
      const isOpen = client === lone || open.has(`${index} ${pattern}`)
      const isLast =
        accounts.findLast((each) => each.client === client && each.pattern === pattern)?.told === told
      if (!isOpen || !isLast) continue
      // nothing missing: all that the log gave an offset between the first and the last, unless a gap says so
      const order = accounts.find((each) => each.client === lone && each.pattern === pattern)!.told
      const lonely = order.filter((each) => typeof each === "number")
      expect(lonely.length).toBeGreaterThan(20)
      expect([...lonely].sort((a, b) => a - b).length).toBe(lonely.length)
      const hasGap = told.length > heard.length || order.length > lonely.length
      if (!hasGap) {
        const first = heard[0]
        expect(heard).toEqual(first === undefined ? [] : lonely.slice(lonely.indexOf(first)))
      }
      const newest = published[pattern]!.length === 0 ? undefined : lonely.at(-1)
      if (heard.length > 0 || history) expect(heard.at(-1)).toBe(newest)
    }
    const prices = (client: Client<typeof app>) =>
      [...client.channel("room/:room", { room: "x" }).state("price").entries()].toSorted()
    for (const [index, { client }] of crowd.entries()) {
      if (open.has(`${index} room/:room`)) expect(prices(client)).toEqual(prices(lone))
    }
    expect(rig.lines().length).toBeLessThanOrEqual(1)
  })
})
