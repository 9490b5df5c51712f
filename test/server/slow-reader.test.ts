import { expect, test } from "vitest"
import { startTestHub } from "./support/hubs.ts"
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

test("what a peer that does not read costs is bounded by the high-water mark", async () => {
  const { hub, url } = await startTestHub()
  const slow = await WireClient.greet(url)
  await slow.subscribe("room/a")
  slow.socket.pause()
  const before = process.memoryUsage().arrayBuffers
  await publishAll(hub)
  // 8 MB were published; the memory log keeps them once, and the socket's share is what the kernel did not take.
  const grown = process.memoryUsage().arrayBuffers - before
  expect(grown).toBeLessThan(3 * MESSAGES * 20_000)
  slow.webSocket.terminate()
})
