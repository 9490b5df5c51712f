import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { lmdbLog } from "../../src/logs/lmdb/index.ts"
import { keepAll, put, temporaryFolder, textsOf } from "./folders.ts"

describe("the LMDB log in a folder", () => {
  test.each(["chat.lmdb", "v1.2", "data.mdb", ".hidden", "with space", "données", "a/b.c/d"])(
    "named %s is made there and found again",
    async (name) => {
      const folder = join(temporaryFolder(), name)
      for (const text of ["one", "two"]) {
        const log = lmdbLog(folder)
        await log.append("a", put(text, text), { retention: keepAll })
        await log.close()
      }
      expect(readdirSync(folder)).toContain("data.mdb")
      const reader = lmdbLog(folder, { readOnly: true })
      expect(await textsOf(reader, "a")).toEqual(["one", "two"])
      await reader.close()
    },
  )
})

describe("the LMDB log refuses with log_unusable, and leaves as it was,", () => {
  test.each([
    ["a file", "file"],
    ["a folder below a file", "file/log"],
    ["a name that is too long", "x".repeat(300)],
    ["an empty name", ""],
    ["a name with a zero byte", "a\0b"],
    ["a folder of something else", "other"],
  ])("%s", (_, name) => {
    const parent = temporaryFolder()
    writeFileSync(join(parent, "file"), "mine")
    mkdirSync(join(parent, "other"))
    writeFileSync(join(parent, "other", "letter.txt"), "mine")
    const folder = name === "" ? "" : join(parent, name)
    for (const readOnly of [false, true]) {
      expect(() => lmdbLog(folder, { readOnly })).toThrow(expect.objectContaining({ code: "log_unusable" }))
    }
    expect(readdirSync(parent).sort()).toEqual(["file", "other"])
    expect(readdirSync(join(parent, "other"))).toEqual(["letter.txt"])
    expect(existsSync("data.mdb")).toBe(false)
  })
})
