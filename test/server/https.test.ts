import { readFileSync } from "node:fs"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { expect, onTestFinished, test } from "vitest"
import { createTestHub } from "./support/hubs.ts"
import { WireClient } from "./support/wire-client.ts"

const file = (name: string) => readFileSync(new URL(`./support/certificate/${name}`, import.meta.url))

test("a hub serves beside an HTTPS server, large messages too", async () => {
  const cert = file("cert.pem")
  const server = createServer({ cert, key: file("key.pem") })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  const hub = createTestHub()
  hub.attach(server)
  const { port } = server.address() as AddressInfo
  const client = await WireClient.greet(`wss://127.0.0.1:${port}/holdfast`, { ca: cert })
  await client.subscribe("room/a")
  const text = "x".repeat(200_000)
  await hub.channel("room/:room", { room: "a" }).publish("said", { text })
  expect((await client.next("event")).data).toEqual({ text })
})
