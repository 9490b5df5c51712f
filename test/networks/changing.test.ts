import { expect, onTestFinished, test } from "vitest"
import { startMiddlebox } from "../support/middlebox.ts"
import { program } from "../support/program.ts"
import { startTcpProxy } from "../support/tcp-proxy.ts"
import { BUFFERS, type Changes, documented, FORGETS_UPGRADE } from "./configurations.ts"
import { countThrough, expectAll, startNode } from "./counter.ts"
import { readWithSdk } from "./reader.ts"

/** So that a stream that stalls is noticed soon, and one that does not is not taken for stalled on a busy machine. */
const limits = { heartbeatMs: 2_000 }

/** More than the buffer holds. */
const EARLIER = 1_000

async function startChangingBox(first: Changes) {
  const node = await startNode({ limits })
  const as = (changes: Changes) => documented("nginx", [node.port], changes)
  const box = await startMiddlebox("nginx", as(first))
  onTestFinished(() => box.stop())
  const line = await startTcpProxy(box.port)
  onTestFinished(() => line.close())
  return { node, line, change: (changes: Changes) => box.reload(as(changes)) }
}

test.skipIf(!program("nginx"))(
  "10,000 messages come while the network loses WebSockets, then streams, and the client changes over",
  async () => {
    const { node, line, change } = await startChangingBox([])
    const reader = await readWithSdk(line.port)
    const transports: (string | undefined)[] = []
    reader.client.on("status", () => {
      if (transports.at(-1) !== reader.client.transport) transports.push(reader.client.transport)
    })
    const isOpen = () => reader.client.status === "open"
    const loseTransport = async (changes: Changes) => {
      const { transport } = reader.client
      change(changes)
      // the old configuration may serve on for a moment
      while (reader.client.transport === transport) {
        line.cut()
        await reader.until(() => !isOpen())
        await reader.until(isOpen)
      }
    }
    let lost = Promise.resolve()
    await countThrough([node], [reader], async (time) => {
      if (time === 2) lost = loseTransport(FORGETS_UPGRADE)
      if (time !== 5) return
      await lost
      lost = loseTransport([...FORGETS_UPGRADE, BUFFERS])
    })
    await lost
    expectAll(reader)
    expect(transports).toEqual(["websocket", "sse", "poll"])
  },
)

test.skipIf(!program("nginx"))(
  "a stream that begins and then stalls in a buffer is left for polls after two heartbeats, and nothing is missing",
  async () => {
    const { node, line } = await startChangingBox([...FORGETS_UPGRADE, BUFFERS])
    const channel = node.hub.channel("counter", {})
    await Promise.all(Array.from({ length: EARLIER }, () => channel.publish("counted", 0)))
    const reader = await readWithSdk(line.port, {}, { history: "all" })
    await countThrough([node], [reader], () => {})
    expectAll({ ...reader, heard: reader.heard.slice(EARLIER) })
    expect([reader.transports[0], reader.client.transport]).toEqual(["sse", "poll"])
  },
)
