import { describe, expect, onTestFinished, test } from "vitest"
import { startMiddlebox } from "../support/middlebox.ts"
import { program } from "../support/program.ts"
import { startTcpProxy } from "../support/tcp-proxy.ts"
import { documented } from "./configurations.ts"
import { countThrough, expectAll, startNode } from "./counter.ts"
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
