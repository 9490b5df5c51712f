import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, test } from "vitest"
import type { Log } from "../../src/log/log.ts"
import { type LmdbLogOptions, lmdbLog } from "../../src/logs/lmdb/index.ts"
import { type LogUnderTest, logContract } from "../../src/testing/log-contract.ts"

function lmdbUnderTest(options: LmdbLogOptions): () => Promise<LogUnderTest> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-log-"))
    const opened: Log[] = []
    let nowMs = 0
    const open = () => {
      const log = lmdbLog(folder, { onError: () => undefined, ...options }, () => nowMs)
      opened.push(log)
      return log
    }
    return {
      log: open(),
      advance: async (ms) => {
        nowMs += ms
      },
      reopen: async () => {
        await opened.at(-1)?.close()
        return open()
      },
      destroy: async () => {
        for (const log of opened) await log.close()
        rmSync(folder, { recursive: true })
      },
    }
  }
}

const variants: Readonly<Record<string, LmdbLogOptions>> = {
  "the LMDB log": {},
  "the LMDB log with sync": { sync: true },
  "the LMDB log with hardly any memory": {
    channelsInMemoryMax: 1,
    tombstonesPerCollectionMax: 2,
    checkpointIntervalMs: 1,
  },
}

describe.each(Object.entries(variants))("%s keeps the contract of logs:", (_, options) => {
  for (const { name, run } of logContract(lmdbUnderTest(options))) test(name, run)
})
