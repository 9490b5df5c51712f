import { describe, expect, onTestFinished, test } from "vitest"
import { startMiddlebox } from "../support/middlebox.ts"
import { program } from "../support/program.ts"
import { startTcpProxy } from "../support/tcp-proxy.ts"
import { documented } from "./configurations.ts"
import { countThrough, expectAll, startNode } from "./counter.ts"
import { readEvents } from "./plain-http-reader.ts"
import { READERS } from "./readers.ts"

describe.each(["nginx", "haproxy"] as const)("behind %s as documented", (name) => {
  describe.skipIf(!program(name))("10,000 messages come through lines that are cut ten times", () => {
    test.each(Object.entries(READERS))("over %s", async (_, read) => {
      const node = await startNode()
      const box = await startMiddlebox(name, documented(name, [node.port]))
      onTestFinished(() => box.stop())
      const line = await startTcpProxy(box.port)
      onTestFinished(() => line.close())
      const reader = await read(line.port)
      await countThrough([node], [reader], () => line.cut())
      expectAll(reader)
      expect(node.subscriptions()).toBeGreaterThanOrEqual(10)
    })
  })
})

test.skipIf(!program("nginx"))(
  "pages are let in by the Host that nginx passes on, and refused without",
  async () => {
    const statuses: number[] = []
    for (const changes of [[], [["proxy_set_header Host $http_host;", ""]]] as const) {
      const node = await startNode()
      const box = await startMiddlebox("nginx", documented("nginx", [node.port], changes))
      onTestFinished(() => box.stop())
      const base = `http://127.0.0.1:${box.port}`
      const response = await fetch(`${base}/holdfast/events?channel=counter`, { headers: { Origin: base } })
      await response.body?.cancel()
      statuses.push(response.status)
    }
    expect(statuses).toEqual([200, 403])
  },
)

test.skipIf(!program("nginx") || !program("haproxy"))("no message of a stream is held back", async () => {
  for (const name of ["nginx", "haproxy"] as const) {
    // nothing but the messages themselves, one after the other, could push them through
    const node = await startNode({ limits: { heartbeatMs: 3_600_000 } })
    const box = await startMiddlebox(name, documented(name, [node.port]))
    onTestFinished(() => box.stop())
    const reader = await readEvents(box.port)
    for (let number = 1; number <= 11; number++) {
      await node.hub.channel("counter", {}).publish("counted", number)
      await reader.until(() => reader.heard.length === number)
    }
  }
})
