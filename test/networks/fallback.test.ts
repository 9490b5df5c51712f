import { describe, expect, onTestFinished, test } from "vitest"
import { startMiddlebox } from "../support/middlebox.ts"
import { program } from "../support/program.ts"
import { startTcpProxy } from "../support/tcp-proxy.ts"
import { startWebSocketTrap } from "../support/websocket-trap.ts"
import {
  BUFFERS,
  type Changes,
  documented,
  FORGETS_UPGRADE,
  HAPROXY_REFUSES,
  refusesUpgrade,
} from "./configurations.ts"
import { countThrough, expectAll, type Node, startNode } from "./counter.ts"
import { readWithSdk } from "./reader.ts"

interface Line {
  readonly port: number
  readonly cut: () => void
}

const trap = (lets: "nothing" | "handshake") => async (server: { readonly port: number }) => {
  const line = await startWebSocketTrap(server.port, lets)
  onTestFinished(() => line.close())
  return line
}

const behind =
  (name: "nginx" | "haproxy", changes: Changes) =>
  async (node: Node): Promise<Line> => {
    const box = await startMiddlebox(name, documented(name, [node.port], changes))
    onTestFinished(() => box.stop())
    const line = await startTcpProxy(box.port)
    onTestFinished(() => line.close())
    return line
  }

const TRANSPORTS = ["websocket", "sse", "poll"] as const
type Transport = (typeof TRANSPORTS)[number]

const BOXES: readonly (readonly [
  title: string,
  start: (node: Node) => Promise<Line>,
  transport: Transport,
])[] = [
  ["nginx that forgets Upgrade", behind("nginx", FORGETS_UPGRADE), "sse"],
  ["nginx that answers 400 to an upgrade", behind("nginx", refusesUpgrade(400)), "sse"],
  ["nginx that answers 426 to an upgrade", behind("nginx", refusesUpgrade(426)), "sse"],
  ["nginx that answers 200 to an upgrade", behind("nginx", refusesUpgrade(200)), "sse"],
  ["haproxy that answers 200 to an upgrade", behind("haproxy", HAPROXY_REFUSES), "sse"],
  ["nginx that forgets Upgrade and buffers", behind("nginx", [...FORGETS_UPGRADE, BUFFERS]), "poll"],
  ["a black hole for WebSockets", trap("nothing"), "sse"],
  ["a black hole for WebSockets that were opened", trap("handshake"), "sse"],
  [
    "a black hole for WebSockets, and nginx that buffers",
    async (node) => trap("nothing")(await behind("nginx", [BUFFERS])(node)),
    "poll",
  ],
]

describe.skipIf(!program("nginx") || !program("haproxy"))("without WebSockets, 10,000 messages come", () => {
  test.each(BOXES)("behind %s", async (_, start, transport) => {
    const node = await startNode()
    const line = await start(node)
    const publish = (number: number) => node.hub.channel("counter", {}).publish("counted", number)

    // the last one has all the time that it needs
    const transports = TRANSPORTS.slice(0, TRANSPORTS.indexOf(transport) + 1)
    const reader = await readWithSdk(line.port, { transports })
    await publish(0)
    await reader.until(() => reader.heard.length === 1)
    line.cut()
    await publish(0)
    await reader.until(() => reader.heard.length === 2)
    expect(reader.client.transport).toBe(transport)

    await countThrough([node], [reader], () => line.cut())
    expectAll({ ...reader, heard: reader.heard.slice(2) })
  })
})
