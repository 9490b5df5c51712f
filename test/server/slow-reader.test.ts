import { once } from "node:events"
import type { Socket } from "node:net"
import { expect, test } from "vitest"
import { appServer } from "./support/http.ts"
import { createTestHub, startTestHub } from "./support/hubs.ts"
import { WireClient } from "./support/wire-client.ts"

const MESSAGES = 400
const text = (index: number) => `${index}:${"x".repeat(20_000)}`

async function publishAll(hub: Awaited<ReturnType<typeof startTestHub>>["hub"]) {
  const room = hub.channel("room/:room", { room: "a" })
  for (let index = 0; index < MESSAGES; index++) await room.publish("said", { text: text(index) })
}

test("who does not read falls behind, without being queued for, and catches up from the log", async () => {
  const { hub, url } = await startTestHub()
  const slow = await WireClient.greet(url)
  const quick = await WireClient.greet(url)
  await slow.subscribe("room/a")
  await quick.subscribe("room/a")
  slow.socket.pause()
  await publishAll(hub)
  // The quick one is not held up by the other.
  for (let index = 0; index < MESSAGES; index++) {
    expect((await quick.next("event")).data).toEqual({ text: text(index) })
  }
  slow.socket.resume()
  for (let index = 0; index < MESSAGES; index++) {
    const event = await slow.next("event")
    expect((event.data as { text: string }).text.startsWith(`${index}:`)).toBe(true)
  }
})

test("what a peer that does not read costs is bounded by the high-water mark and a burst", async () => {
  const { server, base } = await appServer()
  const limits = { highWaterBytes: 100_000, burstBytesMax: 50_000 }
  const hub = createTestHub({ limits })
  hub.attach(server)
  const accepted = once(server, "connection")
  const slow = await WireClient.greet(`${base}/holdfast`)
  const [serverSide] = (await accepted) as [Socket]
  await slow.subscribe("room/a")
  slow.socket.pause()
  let unsentBytesMax = 0
  const room = hub.channel("room/:room", { room: "a" })
  for (let index = 0; index < MESSAGES; index++) {
    await room.publish("said", { text: text(index) })
    unsentBytesMax = Math.max(unsentBytesMax, serverSide.writableLength)
  }
  // 8 MB were published, of which the kernels took a part.
  expect(unsentBytesMax).toBeGreaterThan(100_000)
  expect(unsentBytesMax).toBeLessThan(200_000)
  slow.webSocket.terminate()
})
