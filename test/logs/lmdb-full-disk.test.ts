import { execFileSync } from "node:child_process"
import { chmodSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { lmdbLog } from "../../src/logs/lmdb/index.ts"
import { child } from "./child.ts"
import { fact, keepAll, temporaryFolder, textsOf } from "./folders.ts"

const PROCESS_TIMEOUT_MS = 300_000
const FILE_BYTES_MAX = 1024 * 1024

/** Lets a process write files of any size, as if somebody had made space. */
function makeSpace(pid: number): void {
  execFileSync("prlimit", ["--pid", `${pid}`, "--fsize=unlimited"])
}

describe.runIf(process.platform === "linux")("when a file can grow no further,", () => {
  test.each([{ sync: false }, { sync: true }])(
    "appends are refused and reading goes on, until there is space again (%o)",
    async (options) => {
      const folder = temporaryFolder()
      const filler = child("fill", folder, { ...options, bodyBytes: 20_000 }, FILE_BYTES_MAX)
      expect(await filler.hear()).toEqual({ opened: true })
      const acknowledged: string[] = []
      const append = async (text: string) => {
        filler.tell(text)
        const answer = await filler.hear()
        if (answer?.offset !== undefined) acknowledged.push(text)
        expect(answer).toMatchObject({ count: acknowledged.length, top: acknowledged.length })
        return answer
      }
      // An append may be refused and the next one not, for it may find pages that were freed meanwhile.
      for (let refused = 0, count = 0; refused < 3; count++) {
        const answer = await append(`${count}`)
        refused = answer?.offset === undefined ? refused + 1 : 0
        expect(answer?.code ?? "log_full").toBe("log_full")
      }
      expect(acknowledged.length).toBeGreaterThan(10)

      makeSpace(filler.pid)
      for (let count = 0; count < 100; count++) {
        expect(await append(`with space ${count}`)).toMatchObject({ offset: acknowledged.length })
      }
      await filler.end()
      const log = lmdbLog(folder)
      expect(await textsOf(log, "a")).toEqual(acknowledged)
      await log.close()
    },
    PROCESS_TIMEOUT_MS,
  )

  test(
    "a log that is there can be opened and read, and takes entries when there is space again",
    async () => {
      const folder = temporaryFolder()
      const log = lmdbLog(folder)
      for (let count = 0; count < 50; count++)
        await log.append("a", fact(`${count}`.padEnd(20_000)), { retention: keepAll })
      await log.close()
      // The folder is larger than this process may write at all.
      const filler = child("fill", folder, {}, 64 * 1024)
      expect(await filler.hear()).toEqual({ opened: true })
      filler.tell("refused")
      expect(await filler.hear()).toEqual({ code: "log_full", top: 50, count: 50 })
      makeSpace(filler.pid)
      filler.tell("taken")
      expect(await filler.hear()).toEqual({ offset: 51, top: 51, count: 51 })
      await filler.end()
    },
    PROCESS_TIMEOUT_MS,
  )
})

test(
  "a folder that may not be written to is opened for reading, and appends are refused",
  async () => {
    const folder = temporaryFolder()
    const log = lmdbLog(folder)
    await log.append("a", fact("1"), { retention: keepAll })
    await log.close()
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o444)
    chmodSync(folder, 0o555)
    const onlooker = child("lookOn", folder)
    expect(await onlooker.hear()).toEqual({ top: 1, refused: "log_unavailable" })
    await onlooker.end()
    chmodSync(folder, 0o755)
  },
  PROCESS_TIMEOUT_MS,
)
