import { describe, expect, it } from "vitest"
import { chosenOptions } from "../../src/logs/chosen-options.ts"
import { lmdbLog } from "../../src/logs/lmdb/index.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { redisLog } from "../../src/logs/redis/index.ts"

const defaults = { waitMs: 10, prefix: "a", sync: false }

describe("options", () => {
  it("are the defaults where nothing was given, also as undefined", () => {
    expect(chosenOptions("it", defaults, { waitMs: 0, prefix: undefined })).toEqual({
      ...defaults,
      waitMs: 0,
    })
  })

  it.each([
    [{ waitMS: 1 }, 'it: there is no option "waitMS"; known: waitMs, prefix, sync'],
    [{ waitMs: Number.NaN }, "it: waitMs is NaN, and has to be a number from 0"],
    [{ waitMs: "5" }, "it: waitMs is 5, and has to be a number from 0"],
    [{ sync: "no" }, "it: sync is no, and has to be a boolean"],
  ])("that are none are refused by name: %o", (given, text) => {
    expect(() => chosenOptions("it", defaults, given as object)).toThrow(new TypeError(text))
  })

  it("of logs are checked before anything is opened", () => {
    const wrong = { waitMS: 1 } as object
    for (const open of [
      () => memoryLog(wrong),
      () => lmdbLog("/nowhere", wrong),
      () => redisLog("redis://localhost", wrong),
    ]) {
      expect(open).toThrow(/Log: there is no option "waitMS"/)
    }
  })
})
