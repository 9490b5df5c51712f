import { expect, onTestFinished, test } from "vitest"
import { startMiddlebox } from "../support/middlebox.ts"
import { program } from "../support/program.ts"
import { documented } from "./configurations.ts"
import { countThrough, expectAll, startNode } from "./counter.ts"
import { READERS } from "./readers.ts"

/** Far below the ten seconds, so that they are kept on a busy machine too. */
const QUICK = { heartbeatMs: 3_000, pollWaitMsMax: 3_000 }

// one test, as all of them have to wait for the same ten seconds
test.skipIf(!program("nginx") || !program("haproxy"))(
  "10,000 messages come through what cuts after 10 idle seconds: uncut when heartbeats are quicker, and cut when not",
  async () => {
    const startBehind = async (name: "nginx" | "haproxy", limits: Partial<typeof QUICK>) => {
      const node = await startNode({ limits })
      const box = await startMiddlebox(name, documented(name, [node.port], [["60s", "10s"]]))
      onTestFinished(() => box.stop())
      const readers = await Promise.all(
        Object.entries(READERS).map(async ([title, read]) => ({ title, ...(await read(box.port)) })),
      )
      return { node, readers }
    }
    const quick = [await startBehind("nginx", QUICK), await startBehind("haproxy", QUICK)]
    const slow = [await startBehind("nginx", {}), await startBehind("haproxy", {})]
    const cut = slow
      .flatMap(({ readers }) => readers)
      // for the SDK a poll that is cut is no more than one that has nothing to tell
      .filter(({ title }) => title !== "long-polling")
    await Promise.all(cut.map(({ until, cuts }) => until(() => cuts() > 0)))
    for (const { title, cuts } of quick.flatMap(({ readers }) => readers)) {
      expect({ title, cuts: cuts() }).toEqual({ title, cuts: 0 })
    }
    for (const { node, readers } of [...quick, ...slow]) {
      await countThrough([node], readers, () => {})
      for (const reader of readers) expectAll(reader)
    }
  },
)
