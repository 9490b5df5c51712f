import { expect, it } from "vitest"
import type { Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { rig } from "./rig.ts"
import { handlers, room } from "./room.ts"

it("a subscriber that learns of a new epoch before its node waits for the node, and does not ask the log again and again", async () => {
  let log = memoryLog({ epoch: "e1" })
  let reads = 0
  const letGo: (() => void)[] = []
  const losing: Log = {
    ...log,
    append: (...args) => log.append(...args),
    head: (...args) => log.head(...args),
    watch: (...args) => log.watch(...args),
    read: async (channel, range) => {
      reads++
      const page = await log.read(channel, range)
      // the node's own read takes its time
      if (range.through === Number.MAX_SAFE_INTEGER) await new Promise<void>((resolve) => letGo.push(resolve))
      return page
    },
  }
  const r = rig(room, { channels: handlers }, losing)
  const [live, peer] = [r.peer(), r.peer()]
  await live.hello({ channel: "plain/a" })
  log = memoryLog({ epoch: "e2" })
  const tick = r.hub.channel("plain/:name", { name: "a" })
  await tick.publish("tick", 1)
  await peer.hello({ channel: "plain/a", position: { epoch: "e1", offset: 5 } })
  expect(letGo).toHaveLength(1)
  expect(reads).toBeLessThan(5)
  letGo[0]?.()
  await r.clock.settle()
  for (const each of [live, peer]) {
    expect(each.all("gap")).toMatchObject([{ reason: "new-epoch", to: { epoch: "e2", offset: 0 } }])
    expect(each.all("event").map(({ offset }) => offset)).toEqual([1])
  }
})

it("a subscriber that asks for the last entries while the log is lost starts in one life of it", async () => {
  let log = memoryLog({ epoch: "e1" })
  const losing: Log = {
    ...log,
    append: (...args) => log.append(...args),
    head: (...args) => log.head(...args),
    watch: (...args) => log.watch(...args),
    read: (...args) => log.read(...args),
    offsetOfLast: async (channel, collection, count) => {
      if ((await log.head(channel)).epoch === "e1") {
        log = memoryLog({ epoch: "e2" })
        for (const step of [1, 2, 3]) await tick.publish("tick", step)
      }
      return log.offsetOfLast(channel, collection, count)
    },
  }
  const r = rig(room, { channels: handlers }, losing)
  const tick = r.hub.channel("plain/:name", { name: "a" })
  const peer = r.peer()
  await peer.hello({ channel: "plain/a", history: { last: 2 } })
  expect(peer.last("subscribed")?.position).toEqual({ epoch: "e2", offset: 1 })
  expect(peer.all("gap")).toEqual([])
  expect(peer.all("event").map(({ offset }) => offset)).toEqual([2, 3])
})
