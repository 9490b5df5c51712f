import { createHash } from "node:crypto"
import {
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs"
import { join } from "node:path"
import { open } from "lmdb"
import { describe, expect, test } from "vitest"
import { type Checkpoint, encodeCheckpoint, SLOT_BYTES } from "../../src/logs/lmdb/checkpoint.ts"
import { lmdbLog } from "../../src/logs/lmdb/index.ts"
import { contentsOf, fact, keepAll, temporaryFolder, textsOf } from "./folders.ts"

async function folderWithLog(): Promise<string> {
  const folder = temporaryFolder()
  const log = lmdbLog(folder)
  for (let count = 0; count < 200; count++) await log.append("a", fact(`${count}`), { retention: keepAll })
  await log.close()
  return folder
}

function overwrite(path: string, position: number, bytes: Uint8Array): void {
  writeSync(openSync(path, "r+"), bytes, 0, bytes.length, position)
}

/** Ways in which a folder with a log can be spoilt. */
const damages: Readonly<Record<string, (folder: string) => void>> = {
  "data that is cut off": (folder) => truncateSync(join(folder, "data.mdb"), 5_000),
  "data that is cut off within its first page": (folder) => truncateSync(join(folder, "data.mdb"), 100),
  "data that is empty": (folder) => truncateSync(join(folder, "data.mdb"), 0),
  "data that is missing": (folder) => rmSync(join(folder, "data.mdb")),
  "data whose beginning is zero": (folder) => overwrite(join(folder, "data.mdb"), 0, Buffer.alloc(8192)),
  "data whose beginning is something else": (folder) =>
    overwrite(join(folder, "data.mdb"), 0, Buffer.from("SQLite format 3\0")),
  "data whose newest meta page is spoilt": (folder) =>
    overwrite(join(folder, "data.mdb"), 4096, Buffer.alloc(200, 1)),
  "data that another program has written to": (folder) =>
    overwrite(join(folder, "data.mdb"), 160, Buffer.alloc(8, 9)),
  "data with one bit changed, anywhere": (folder) => {
    const path = join(folder, "data.mdb")
    const position = Math.floor(statSync(path).size * 0.7)
    const byte = readFileSync(path)[position] ?? 0
    overwrite(path, position, Buffer.of(byte ^ 1))
  },
  "checkpoints that are empty": (folder) => truncateSync(join(folder, "checkpoints"), 0),
  "checkpoints that are spoilt": (folder) => {
    overwrite(join(folder, "checkpoints"), 50, Buffer.from("spoilt"))
    overwrite(join(folder, "checkpoints"), SLOT_BYTES + 50, Buffer.from("spoilt"))
  },
  "checkpoints that are missing": (folder) => rmSync(join(folder, "checkpoints")),
}

describe("a folder with a log is refused, and left as it is, with", () => {
  test.each(Object.entries(damages))("%s", async (_, damage) => {
    const folder = await folderWithLog()
    damage(folder)
    const before = contentsOf(folder)
    expect(() => lmdbLog(folder)).toThrow(expect.objectContaining({ code: "log_unusable" }))
    expect(() => lmdbLog(folder, { readOnly: true })).toThrow(
      expect.objectContaining({ code: "log_unusable" }),
    )
    expect(contentsOf(folder)).toEqual(before)
  })

  test("the format of another version", async () => {
    const folder = await folderWithLog()
    const path = join(folder, "checkpoints")
    const slots = readFileSync(path)
    const text = slots.toString("latin1").replaceAll('"format":3', '"format":4')
    writeFileSync(path, resealed(Buffer.from(text, "latin1")))
    const before = contentsOf(folder)
    expect(() => lmdbLog(folder)).toThrow("format 4")
    expect(contentsOf(folder)).toEqual(before)
  })
})

describe("a folder that is somebody else's is refused, and left as it is:", () => {
  test("a file", () => {
    const path = join(temporaryFolder(), "file")
    writeFileSync(path, "not a folder")
    expect(() => lmdbLog(path)).toThrow(expect.objectContaining({ code: "log_unusable" }))
    expect(readFileSync(path, "utf8")).toBe("not a folder")
  })

  test("a folder with other files", () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, "letters.txt"), "dear")
    const before = contentsOf(folder)
    expect(() => lmdbLog(folder)).toThrow("letters.txt")
    expect(contentsOf(folder)).toEqual(before)
  })

  test("an LMDB file of another program", async () => {
    const folder = temporaryFolder()
    const other = open(folder, {})
    await other.put("key", "value")
    await other.close()
    const before = contentsOf(folder)
    expect(() => lmdbLog(folder)).toThrow(expect.objectContaining({ code: "log_unusable" }))
    expect(contentsOf(folder)).toEqual(before)
  })
})

describe("a folder is taken", () => {
  test("when it is not there", async () => {
    const folder = join(temporaryFolder(), "deeply", "nested")
    await lmdbLog(folder).close()
    expect(Object.keys(contentsOf(folder))).toContain("data.mdb")
  })

  test("when it is empty but for hidden files", async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, ".gitignore"), "*")
    await lmdbLog(folder).close()
    expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe("*")
  })

  test("when a log was not made to its end", async () => {
    const folder = temporaryFolder()
    mkdirSync(folder, { recursive: true })
    const creating: Checkpoint = {
      sequence: 0,
      state: "creating",
      sync: false,
      isEpochDue: false,
      boot: "",
      dataBytes: 0,
      pageBytes: 0,
      metas: [Buffer.alloc(168), Buffer.alloc(168)],
    }
    writeFileSync(
      join(folder, "checkpoints"),
      Buffer.concat([encodeCheckpoint(creating), encodeCheckpoint(creating)]),
    )
    writeFileSync(join(folder, "data.mdb"), "half")
    const log = lmdbLog(folder)
    await log.append("a", fact("1"), { retention: keepAll })
    expect(await textsOf(log, "a")).toEqual(["1"])
    await log.close()
  })

  test("when one of its two checkpoints is spoilt", async () => {
    for (const slot of [0, 1]) {
      const folder = await folderWithLog()
      const copy = temporaryFolder()
      for (const name of ["data.mdb", "checkpoints"]) copyFileSync(join(folder, name), join(copy, name))
      overwrite(join(copy, "checkpoints"), slot * SLOT_BYTES + 60, Buffer.from("spoilt"))
      const log = lmdbLog(copy)
      expect(await textsOf(log, "a")).toHaveLength(200)
      await log.close()
    }
  })
})

test("reading a folder that is not there makes none", () => {
  const folder = join(temporaryFolder(), "none")
  expect(() => lmdbLog(folder, { readOnly: true })).toThrow(expect.objectContaining({ code: "log_unusable" }))
  expect(() => contentsOf(folder)).toThrow("ENOENT")
})

/** Gives changed slots the digests that fit them. */
function resealed(slots: Buffer): Buffer {
  for (const start of [0, SLOT_BYTES]) {
    const slot = slots.subarray(start, start + SLOT_BYTES)
    createHash("sha256").update(slot.subarray(32)).digest().copy(slot)
  }
  return slots
}
