import { cpSync, rmSync } from "node:fs"
import { describe, expect, onTestFinished, test } from "vitest"
import type { Batch, Log } from "../../src/log/log.ts"
import { redisLog } from "../../src/logs/redis/index.ts"
import { program } from "../support/program.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { startTcpProxy } from "../support/tcp-proxy.ts"
import { entriesIn, opened, say } from "./redis-steps.ts"

const WITH_FILE = ["--appendonly", "yes", "--appendfsync", "always"]

async function server(...args: string[]): Promise<RedisServer> {
  const started = await startRedis(args)
  onTestFinished(() => started.destroy())
  return started
}

/** Resolves with the first batch that has no entries: it tells where the channel stands after an interruption. */
async function nextHead(log: Log): Promise<{ readonly told: Promise<Batch> }> {
  let tell: (batch: Batch) => void
  const told = new Promise<Batch>((resolve) => {
    tell = resolve
  })
  await log.watch("a", (batch) => {
    if (batch.entries.length === 0) tell(batch)
  })
  return { told }
}

describe.skipIf(!program("redis-server"))("an offset never means two things:", () => {
  test("a Redis that comes back empty begins an epoch", async () => {
    const redis = await server()
    const log = opened(redis.url)
    const before = await say(log, "1")
    const { told } = await nextHead(log)
    await redis.stop("SIGKILL")
    await redis.start()
    const head = await told
    expect(head.epoch).not.toBe(before.position.epoch)
    const after = await say(log, "2")
    expect(after.position.epoch).toBe(head.epoch)
    expect((await entriesIn(log)).map(({ text }) => text)).toEqual(["2"])
  })

  test("one that was emptied while it ran begins an epoch too", async () => {
    const redis = await server()
    const log = opened(redis.url)
    const before = await say(log, "1")
    await redis.client.flushAll()
    expect((await log.head("a")).epoch).not.toBe(before.position.epoch)
  })

  test.each(["SIGTERM", "SIGKILL"] as const)(
    "with an append-only file that is synced for each write, a restart by %s goes on in the same epoch",
    async (signal) => {
      const redis = await server(...WITH_FILE)
      const log = opened(redis.url)
      const before = await say(log, "1")
      const { told } = await nextHead(log)
      await redis.stop(signal)
      await redis.start()
      expect(await told).toEqual({
        epoch: before.position.epoch,
        after: before.position.offset,
        entries: [],
      })
      const after = await say(log, "2")
      expect(after.position.epoch).toBe(before.position.epoch)
      expect(after.position.offset).toBeGreaterThan(before.position.offset)
      expect((await entriesIn(opened(redis.url))).map(({ text }) => text)).toEqual(["1", "2"])
    },
  )

  test("a node that missed several restarts goes on, unless one of them lost something", async () => {
    const redis = await server(...WITH_FILE)
    const [away, log] = [opened(redis.url), opened(redis.url)]
    const { position } = await say(away, "0")
    for (const text of ["1", "2", "3"]) {
      await redis.stop("SIGKILL")
      await redis.start()
      await say(log, text)
    }
    expect((await away.head("a")).epoch).toBe(position.epoch)

    const folder = String((await redis.client.configGet("dir")).dir)
    cpSync(`${folder}/appendonlydir`, `${folder}/copy`, { recursive: true })
    const lost = await say(away, "4")
    await redis.stop("SIGKILL")
    rmSync(`${folder}/appendonlydir`, { recursive: true })
    cpSync(`${folder}/copy`, `${folder}/appendonlydir`, { recursive: true })
    await redis.start()
    const fresh = opened(redis.url)
    for (const text of ["5", "6"]) await say(fresh, text)
    await redis.stop("SIGKILL")
    await redis.start()
    await say(fresh, "7")
    expect((await away.head("a")).epoch).not.toBe(lost.position.epoch)
  })

  test("a first append while such a Redis is away goes on in the same epoch", async () => {
    const redis = await server(...WITH_FILE)
    const before = await say(opened(redis.url), "1")
    await redis.stop("SIGKILL")
    const said = say(opened(redis.url), "2")
    await redis.start()
    expect((await said).position).toEqual({ epoch: before.position.epoch, offset: 2 })
  })

  test("with one that is synced now and then, a restart begins an epoch", async () => {
    const redis = await server("--appendonly", "yes", "--appendfsync", "everysec")
    const log = opened(redis.url)
    const before = await say(log, "1")
    await redis.stop("SIGTERM")
    await redis.start()
    const after = await say(log, "2")
    expect(after.position.epoch).not.toBe(before.position.epoch)
    expect((await entriesIn(log)).map(({ text }) => text)).toEqual(["1", "2"])
  })

  test("so it does when each write is synced only since the restart", async () => {
    const redis = await server("--appendonly", "yes")
    const before = await say(opened(redis.url), "1")
    await redis.stop("SIGKILL")
    await redis.start()
    await redis.client.configSet("appendfsync", "always")
    const log = opened(redis.url)
    const after = await say(log, "2")
    expect(after.position.epoch).not.toBe(before.position.epoch)
    await redis.stop("SIGKILL")
    await redis.start()
    await redis.client.configSet("appendfsync", "always")
    expect((await say(opened(redis.url), "3")).position.epoch).toBe(after.position.epoch)
  })

  test("an append that meets the restart is kept once", async () => {
    const redis = await server(...WITH_FILE)
    const log = opened(redis.url)
    await say(log, "0")
    const appends = Array.from({ length: 50 }, (_, index) => say(log, `${index + 1}`))
    await appends[0]
    await redis.stop("SIGKILL")
    await redis.start()
    const offsets = (await Promise.all(appends)).map(({ position }) => position.offset)
    const found = await entriesIn(log)
    expect(found.map(({ text }) => text)).toEqual(Array.from({ length: 51 }, (_, index) => `${index}`))
    expect(found.slice(1).map(({ offset }) => offset)).toEqual(offsets)
  })

  test("a restart from a snapshot, which is older, begins an epoch with the first append", async () => {
    const redis = await server("--save", "3600 1000000")
    const log = opened(redis.url)
    const kept = await say(log, "kept")
    await redis.client.sendCommand(["SAVE"])
    const lost = await say(log, "lost")
    await log.close()
    await redis.stop("SIGKILL")
    await redis.start()
    // A node that has seen nothing of before has no other proof than that the server is another process.
    const fresh = opened(redis.url)
    const next = await say(fresh, "next")
    expect(next.position.offset).toBe(lost.position.offset)
    expect(next.position.epoch).not.toBe(kept.position.epoch)
    expect((await entriesIn(fresh)).map(({ text }) => text)).toEqual(["kept", "next"])
  })

  test("a promoted replica begins an epoch with the first append", async () => {
    const [redis, replica] = [await server(...WITH_FILE), await server(...WITH_FILE)]
    const log = opened(redis.url)
    const before = await say(log, "1")
    await replica.client.sendCommand(["REPLICAOF", "127.0.0.1", String(redis.port)])
    await redis.replicated()
    const refused = opened(replica.url, { waitMs: 50 }).head("a")
    await expect(refused).rejects.toMatchObject({ code: "log_unavailable" })
    await redis.stop("SIGKILL")
    await replica.client.sendCommand(["REPLICAOF", "NO", "ONE"])
    const after = await say(opened(replica.url), "2")
    expect(after.position.epoch).not.toBe(before.position.epoch)
    expect((await entriesIn(opened(replica.url))).map(({ text }) => text)).toEqual(["1", "2"])
  })

  test("so it does when it was started anew before that", async () => {
    const [redis, replica] = [await server(...WITH_FILE), await server(...WITH_FILE)]
    await replica.client.sendCommand(["REPLICAOF", "127.0.0.1", String(redis.port)])
    const info = async (section: string) => String(await replica.client.info(section))
    while (!(await info("replication")).includes("master_link_status:up"));
    while (!(await info("persistence")).includes("aof_rewrite_in_progress:0"));
    const log = opened(redis.url)
    await say(log, "1")
    while ((await replica.client.keys("*:h:a")).length === 0);
    await replica.client.sendCommand(["REPLICAOF", "NO", "ONE"])
    const lost = await say(log, "lost")
    await redis.stop("SIGKILL")
    await replica.stop("SIGTERM")
    await replica.start()
    const after = await say(opened(replica.url), "2")
    expect(after.position.offset).toBe(lost.position.offset)
    expect(after.position.epoch).not.toBe(lost.position.epoch)
  })

  test("a node that has seen more than the append-only file holds begins an epoch", async () => {
    const redis = await server(...WITH_FILE)
    const log = opened(redis.url)
    const kept = await say(log, "kept")
    const folder = String((await redis.client.configGet("dir")).dir)
    const copy = `${folder}-copy`
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }))
    cpSync(folder, copy, { recursive: true })
    const lost = await say(log, "lost")
    const { told } = await nextHead(log)
    await redis.stop("SIGKILL")
    rmSync(folder, { recursive: true })
    cpSync(copy, folder, { recursive: true })
    await redis.start()
    const head = await told
    expect(head).toMatchObject({ after: kept.position.offset })
    expect(head.epoch).not.toBe(kept.position.epoch)
    expect((await say(log, "next")).position).toEqual({ epoch: head.epoch, offset: lost.position.offset })
  })

  test("and begins it also when another node, which has seen less, was faster", async () => {
    const redis = await server(...WITH_FILE)
    const [log, other] = [opened(redis.url), redisLog(redis.url, { onError: () => undefined })]
    await say(other, "kept")
    await other.close()
    const folder = String((await redis.client.configGet("dir")).dir)
    const copy = `${folder}-copy`
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }))
    cpSync(folder, copy, { recursive: true })
    const { told } = await nextHead(log)
    const lost = await say(log, "lost")
    // What it hears next is the other's appends, in the generation that follows.
    await redis.stop("SIGKILL")
    rmSync(folder, { recursive: true })
    cpSync(copy, folder, { recursive: true })
    await redis.start()
    const fresh = opened(redis.url)
    await Promise.all(["a", "b", "c"].map((text) => say(fresh, text)))
    const head = await told
    expect(head.epoch).not.toBe(lost.position.epoch)
    expect((await fresh.head("a")).epoch).toBe(head.epoch)
  })

  test("an append repeated after its new epoch was lost begins another epoch", async () => {
    const redis = await server()
    const proxy = await startTcpProxy(redis.port)
    onTestFinished(() => proxy.close())
    const [log, watcher] = [opened(`redis://127.0.0.1:${proxy.port}`), opened(redis.url)]
    await log.head("another")
    const told = new Promise<Batch>((resolve) => void watcher.watch("a", resolve))
    while (((await redis.client.sendCommand(["PUBSUB", "SHARDCHANNELS"])) as unknown[]).length === 0);
    proxy.freezeAnswers()
    const appended = say(log, "1")
    const { epoch } = await told
    await redis.client.flushAll()
    proxy.cut()
    expect((await appended).position.epoch).not.toBe(epoch)
  })

  test("deleting the epoch by hand, for a backup that was put back, begins another", async () => {
    const redis = await server()
    const log = opened(redis.url)
    const before = await say(log, "1")
    const [partition] = await redis.client.keys("holdfast:{*}")
    await redis.client.hDel(partition as string, "epoch")
    const head = await opened(redis.url).head("a")
    expect(head).toMatchObject({ top: before.position.offset })
    expect(head.epoch).not.toBe(before.position.epoch)
    expect((await say(log, "2")).position.epoch).toBe(head.epoch)
  })

  test("a channel whose keys were deleted by hand goes on above its old offsets", async () => {
    const redis = await server()
    const log = opened(redis.url)
    const before = await say(log, "1")
    for (const key of await redis.client.keys("holdfast:{*}:*:a")) await redis.client.del(key)
    const after = await say(log, "2")
    expect(after.position.offset).toBeGreaterThan(before.position.offset)
    expect(after.position.epoch).toBe(before.position.epoch)
  })

  test("and says that what it had is lost, as far as it can know", async () => {
    const redis = await server()
    const log = opened(redis.url)
    const before = await say(log, "1")
    for (const key of await redis.client.keys("holdfast:{*}:h:a")) await redis.client.del(key)
    await say(log, "2")
    expect(await log.head("a")).toMatchObject({ base: before.position.offset, floors: {} })
    expect((await entriesIn(log)).map(({ text }) => text)).toEqual(["2"])
  })
})
