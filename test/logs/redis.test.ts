import { createClient, createCluster, createSentinel, RESP_TYPES } from "redis"
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { redisLog } from "../../src/logs/redis/index.ts"
import { checkServer } from "../../src/logs/redis/server-check.ts"
import { program } from "../support/program.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts"
import {
  append,
  change,
  everything,
  fact,
  follow,
  opened,
  retention,
  say,
  textsIn,
  told,
} from "./redis-steps.ts"

const describeWithRedis = describe.skipIf(!program("redis-server"))

describeWithRedis("nodes that share a Redis", () => {
  let server: RedisServer
  let proxy: TcpProxy
  beforeAll(async () => {
    server = await startRedis()
    proxy = await startTcpProxy(server.port)
  })
  afterEach(async () => {
    await server.client.flushAll()
  })
  afterAll(async () => {
    await proxy.close()
    await server.destroy()
  })

  test("are told of each other's appends", async () => {
    const [here, there] = [opened(server.url), opened(server.url)]
    const following = await follow(here)
    const { position } = await say(there, "hello")
    const batch = await following.until(told(position.offset))
    expect(batch.epoch).toBe(position.epoch)
    expect((await here.head("a")).top).toBe(position.offset)
    expect(here.shared).toBe(true)
  })

  test("see each other's keys change before they replace one", async () => {
    const [here, there] = [opened(server.url), opened(server.url)]
    const entered = await append(here, change("put", "ada", "here"))
    const moved = await append(there, change("put", "ada", "there"))
    const condition = { latest: entered.position.offset }
    const refused = await append(here, change("remove", "ada"), { condition })
    expect(refused).toEqual({ status: "refused", position: moved.position })
    expect(await textsIn(here)).toEqual(["there"])
    const again = { condition: { latest: moved.position.offset } }
    expect(await append(there, change("remove", "ada"), again)).toMatchObject({ status: "appended" })
  })

  test("find each other's idempotency keys", async () => {
    const [here, there] = [opened(server.url), opened(server.url)]
    const dedupe = { key: "k", fingerprint: "f", windowMs: 60_000 }
    const first = await append(here, fact("x"), { dedupe })
    const again = await append(there, fact("x"), { dedupe })
    expect(again).toEqual({ status: "duplicate", position: first.position })
    const other = append(there, fact("y"), { dedupe: { ...dedupe, fingerprint: "g" } })
    await expect(other).rejects.toMatchObject({ code: "idempotency_conflict" })
  })

  test("leave no connection behind when closed while beginning to follow a channel", async () => {
    const connections = async () => (await server.client.clientList()).length
    const before = await connections()
    const log = opened(server.url)
    await log.head("a")
    const watching = log.watch("a", () => undefined)
    await Promise.all([log.close(), expect(watching).rejects.toMatchObject({ code: "closed" })])
    while ((await connections()) > before);
  })

  test("are apart when they have different prefixes", async () => {
    const [here, there] = [opened(server.url), opened(server.url, { prefix: "other" })]
    await say(here, "hello")
    expect(await textsIn(there)).toEqual([])
  })

  test("learn where a channel stands after the connection that tells them was cut", async () => {
    const there = opened(server.url)
    const here = opened(`redis://127.0.0.1:${proxy.port}`)
    const following = await follow(here)
    const { position } = await say(there, "heard")
    await following.until(told(position.offset))
    proxy.freezeAnswers()
    const missed = await say(there, "missed")
    proxy.cut()
    const batch = await following.until(({ after }) => after === missed.position.offset)
    expect(batch).toEqual({ epoch: missed.position.epoch, after: missed.position.offset, entries: [] })
    const next = await say(there, "heard again")
    await following.until(told(next.position.offset))
    expect(following.batches.some(told(missed.position.offset))).toBe(false)
  })

  test("notice when that connection has died without a word", async () => {
    const there = opened(server.url)
    const here = opened(`redis://127.0.0.1:${proxy.port}`, { heartbeatMs: 20, answerTimeoutMs: 200 })
    const following = await follow(here)
    proxy.freezeAnswers()
    const { position } = await say(there, "missed")
    await following.until(({ after }) => after === position.offset)
  })

  test("come back after Redis has thrown them out", async () => {
    const log = opened(server.url)
    const following = await follow(log)
    await server.client.sendCommand(["CLIENT", "KILL", "TYPE", "pubsub"])
    await following.until(({ entries }) => entries.length === 0)
    const { position } = await say(log, "hello")
    await following.until(told(position.offset))
  })

  test("may stop and begin to watch in quick turns", async () => {
    const log = opened(server.url)
    for (let turn = 0; turn < 50; turn++) {
      const stop = await log.watch("a", () => undefined)
      stop()
    }
    const begun = Array.from({ length: 20 }, () => log.watch("a", () => undefined).then((stop) => stop()))
    const following = await follow(log)
    await Promise.all(begun)
    const { position } = await say(log, "hello")
    await following.until(told(position.offset))
  })

  test("subscribe to the channels that are watched, and to no others", async () => {
    const log = opened(server.url, { prefix: "subscriptions" })
    const channels = async () =>
      (await server.client.sendCommand(["PUBSUB", "SHARDCHANNELS", "subscriptions:*"])) as unknown as string[]
    await say(log, "hello")
    expect(await channels()).toHaveLength(0)
    const [first, second] = [await follow(log), await follow(log)]
    const other = await follow(log, "b")
    expect(await channels()).toHaveLength(2)
    first.stop()
    other.stop()
    // Whatever was asked before is done when this is.
    await (await follow(log, "c")).stop()
    expect((await channels()).filter((name) => name.endsWith(":a"))).toHaveLength(1)
    second.stop()
    await (await follow(log, "d")).stop()
    expect((await channels()).filter((name) => name.endsWith(":a"))).toHaveLength(0)
  })
})

describeWithRedis("an append", () => {
  let server: RedisServer
  let proxy: TcpProxy
  beforeAll(async () => {
    server = await startRedis()
    proxy = await startTcpProxy(server.port)
  })
  afterEach(async () => {
    await server.client.flushAll()
  })
  afterAll(async () => {
    await proxy.close()
    await server.destroy()
  })

  const calls = async () => {
    const stats = String(await server.client.sendCommand(["INFO", "commandstats"]))
    const count = (name: string) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? "0")
    return { evalsha: count("evalsha"), eval: count("eval"), ping: count("ping") }
  }

  test("is one round trip, and fewer when there are many", async () => {
    const log = opened(server.url, { heartbeatMs: 3_600_000, answerTimeoutMs: 60_000 })
    await say(log, "first")
    await server.client.sendCommand(["CONFIG", "RESETSTAT"])
    for (let count = 0; count < 20; count++) {
      const dedupe = { key: `${count}`, fingerprint: "f", windowMs: 60_000 }
      await append(log, fact("x"), { retention: { ...retention, entries: 5 }, dedupe })
    }
    expect(await calls()).toEqual({ evalsha: 20, eval: 0, ping: 0 })
    await Promise.all(Array.from({ length: 100 }, (_, index) => say(log, `${index}`)))
    expect((await calls()).evalsha).toBe(21)
  })

  test("goes on when Redis has forgotten the script", async () => {
    const log = opened(server.url)
    await say(log, "1")
    await server.client.sendCommand(["SCRIPT", "FLUSH"])
    await say(log, "2")
    await server.client.sendCommand(["SCRIPT", "FLUSH"])
    expect(await textsIn(log)).toEqual(["1", "2"])
  })

  test("whose answer was lost is repeated, and appended once", async () => {
    const log = opened(`redis://127.0.0.1:${proxy.port}`)
    const watcher = await follow(opened(server.url))
    await say(log, "1")
    proxy.freezeAnswers()
    const appends = ["2", "3", "4"].map((text) => say(log, text))
    await watcher.until(({ entries }) => entries.some(({ body }) => Buffer.from(body).toString() === "2"))
    proxy.cut()
    const positions = (await Promise.all(appends)).map(({ position }) => position.offset)
    expect(await textsIn(log)).toEqual(["1", "2", "3", "4"])
    expect((await log.read("a", everything)).entries.slice(1).map(({ offset }) => offset)).toEqual(positions)
  })

  test("whose answer was lost is appended once, however many idempotency keys came", async () => {
    const [log, other] = [opened(`redis://127.0.0.1:${proxy.port}`), opened(server.url)]
    await say(log, "1")
    const watcher = await follow(other)
    proxy.freezeAnswers()
    const appended = say(log, "2")
    const { entries } = await watcher.until(({ entries }) => entries.length > 0)
    for (let key = 0; key < 20; key++) {
      const dedupe = { key: `${key}`, fingerprint: "f", windowMs: 60_000 }
      await append(other, fact("x"), { dedupe })
    }
    proxy.cut()
    expect((await appended).position.offset).toBe(entries[0]?.offset)
    expect((await textsIn(other)).filter((text) => text === "2")).toHaveLength(1)
  })

  test("waits while Redis is away, for a time, and says that nothing was published", async () => {
    const away = await startRedis()
    onTestFinished(() => away.destroy())
    const log = opened(away.url, { waitMs: 2_000 })
    await say(log, "1")
    const noticed = new Promise<void>((resolve) => {
      log.watchAvailability?.((reason) => reason !== undefined && resolve())
    })
    await away.stop()
    await noticed
    const refused = { code: "log_unavailable", message: expect.stringContaining("Nothing was published") }
    await expect(say(log, "2")).rejects.toMatchObject(refused)
    await expect(log.head("a")).rejects.toMatchObject({ code: "log_unavailable" })
    const patient = opened(away.url)
    const waiting = say(patient, "3")
    await away.start()
    await waiting
    expect(await textsIn(patient)).toEqual(["3"])
  })

  test("that was sent and not answered says that it may have been published", async () => {
    const log = opened(server.url, { waitMs: 3_000, answerTimeoutMs: 1_000 })
    await say(log, "1")
    process.kill(server.pid(), "SIGSTOP")
    try {
      await expect(say(log, "2")).rejects.toMatchObject({ code: "in_doubt" })
    } finally {
      process.kill(server.pid(), "SIGCONT")
    }
    const patient = opened(server.url)
    await say(patient, "3")
    expect(await textsIn(patient)).toContain("3")
  })

  test("sent without an answer and refused when sent again may have been published", async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.destroy())
    const log = opened(redis.url, { answerTimeoutMs: 500 })
    await say(log, "1")
    // carried out when it goes on, and its answer is lost
    await redis.client.sendCommand(["CLIENT", "PAUSE", "2000", "WRITE"])
    const outcome = say(log, "2").catch((error: unknown) => error)
    await redis.client.sendCommand(["CONFIG", "SET", "maxmemory", "1"])
    expect(await outcome).toMatchObject({ code: "in_doubt", message: expect.stringContaining("log_full") })
    await expect(say(log, "3")).rejects.toMatchObject({ code: "log_full" })
  })

  test("that waits for the first connection is waited for by close", async () => {
    const log = opened(server.url)
    const appended = say(log, "1")
    await log.close()
    expect(await appended).toMatchObject({ status: "appended" })
  })

  test("is refused when too many wait already", async () => {
    const log = opened("redis://127.0.0.1:1", { waitMs: 200, pendingAppendsMax: 2 })
    const outcomes = await Promise.allSettled([say(log, "1"), say(log, "2"), say(log, "3")])
    const reasons = outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason : undefined))
    expect(reasons.map(({ code }) => code)).toEqual(Array(3).fill("log_unavailable"))
    expect(reasons[2]?.message).toContain("pendingAppendsMax")
  })

  test("is refused when Redis is full, changes nothing then, and reading goes on", async () => {
    const log = opened(server.url)
    await say(log, "1")
    const head = await log.head("a")
    await server.client.sendCommand(["CONFIG", "SET", "maxmemory", "1"])
    try {
      await expect(say(log, "2")).rejects.toMatchObject({ code: "log_full" })
      await expect(append(log, change("put", "k"))).rejects.toMatchObject({ code: "log_full" })
      expect(await log.head("a")).toEqual(head)
      expect(await textsIn(log)).toEqual(["1"])
      await log.trim("a", { said: { ...retention, entries: 0 } }, Date.now())
      expect(await textsIn(log)).toEqual([])
    } finally {
      await server.client.sendCommand(["CONFIG", "SET", "maxmemory", "0"])
    }
    await say(log, "3")
    expect(await textsIn(log)).toEqual(["3"])
  })

  test("is refused by a full Redis that was restarted, and reading and trimming go on", async () => {
    const redis = await startRedis(["--appendonly", "yes", "--appendfsync", "always"])
    onTestFinished(() => redis.destroy())
    const log = opened(redis.url)
    await say(log, "1")
    await redis.stop()
    await redis.start()
    await redis.client.sendCommand(["CONFIG", "SET", "maxmemory", "1"])
    await expect(say(log, "2")).rejects.toMatchObject({ code: "log_full" })
    expect(await textsIn(log)).toEqual(["1"])
    expect(await textsIn(log, "never used")).toEqual([])
    await log.trim("a", { said: { ...retention, entries: 0 } }, Date.now())
    expect(await textsIn(log)).toEqual([])
    await expect(say(log, "3")).rejects.toMatchObject({ code: "log_full" })
  })

  test("of one key too many is refused", async () => {
    const log = opened(server.url, { keysPerCollectionMax: 2 })
    for (const key of ["a", "b", "a"]) await append(log, change("put", key))
    const refused = append(log, change("put", "c"))
    await expect(refused).rejects.toMatchObject({ code: "log_full", limit: 2 })
    await append(log, change("remove", "a"))
    await append(log, change("put", "c"))
  })

  test("with one idempotency key too many is refused until one has expired", async () => {
    const log = opened(server.url, { idempotencyKeysPerChannelMax: 2 })
    const at = Date.now()
    const write = (key: string, behindMs: number) =>
      append(log, fact(key, at + behindMs), { dedupe: { key, fingerprint: "f", windowMs: 1_000 + behindMs } })
    await write("a", 0)
    await write("b", 100)
    await expect(write("c", 999)).rejects.toMatchObject({ code: "log_full", limit: 2 })
    await write("c", 1_000)
    expect(await write("b", 1_001)).toMatchObject({ status: "duplicate" })
    await append(log, fact("without a key"))
  })

  test("lets the idempotency keys and answers of idle channels expire", async () => {
    const log = opened(server.url, { prefix: "expiring" })
    const dedupe = { key: "k", fingerprint: "f", windowMs: 60_000 }
    await append(log, fact("x"), { dedupe })
    for (const part of ["d", "q", "m"]) {
      const [key] = await server.client.keys(`expiring:{*}:${part}:a`)
      expect(await server.client.pTTL(key ?? "")).toBeGreaterThan(60_000)
      expect(await server.client.pTTL(key ?? "")).toBeLessThan(300_000)
    }
  })

  test("keeps idempotency keys for their time also when a node's clock is an hour ahead", async () => {
    const log = opened(server.url, { prefix: "ahead" })
    const write = (key: string, aheadMs: number) =>
      append(log, fact("x", Date.now() + aheadMs), { dedupe: { key, fingerprint: "f", windowMs: 60_000 } })
    await write("k", 3_600_000)
    await write("l", 0)
    for (const part of ["d", "q"]) {
      const [key] = await server.client.keys(`ahead:{*}:${part}:a`)
      // no node whose clock is right extends it within the hour
      expect(await server.client.pTTL(key ?? "")).toBeGreaterThan(3_600_000)
    }
  })

  test("does not cost anything for channels that are only watched", async () => {
    const log = opened(server.url, { heartbeatMs: 20 })
    for (let channel = 0; channel < 200; channel++) await follow(log, `${channel}`)
    await server.client.sendCommand(["CONFIG", "RESETSTAT"])
    const monitor = server.client.duplicate()
    await monitor.connect()
    onTestFinished(() => monitor.destroy())
    const seen: string[] = []
    await new Promise<void>((resolve) => {
      void monitor.monitor((line) => {
        seen.push(String(line))
        if (seen.length === 5) resolve()
      })
    })
    expect(seen.filter((line) => !line.includes('"PING"'))).toEqual([])
  })
})

describeWithRedis("a client of the user's", () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.destroy())

  test.each([
    ["lends its options", {}],
    ["may speak RESP 2", { RESP: 2 }],
    ["may map types as it likes", { commandOptions: { typeMapping: { [RESP_TYPES.NUMBER]: String } } }],
  ] as const)("%s", async (_, options) => {
    const client = createClient({ url: server.url, ...options })
    const log = redisLog(client, { prefix: `${_}`, heartbeatMs: 10, onError: () => undefined })
    onTestFinished(() => log.close())
    const following = await follow(log)
    const { position } = await say(log, "hello")
    await following.until(told(position.offset))
    expect(await textsIn(log)).toEqual(["hello"])
    expect(client.isOpen).toBe(false)
  })

  test("stays as it is", async () => {
    const log = redisLog(server.client)
    await say(log, "hello")
    await log.close()
    expect(await server.client.ping()).toBe("PONG")
  })
})

describeWithRedis("a server that becomes a replica", () => {
  test("is left for the one that is the master then", async () => {
    const [old, young] = [await startRedis(), await startRedis()]
    onTestFinished(() => Promise.all([old.destroy(), young.destroy()]).then(() => undefined))
    const address = await startTcpProxy(old.port)
    onTestFinished(() => address.close())
    const log = opened(`redis://127.0.0.1:${address.port}`)
    const following = await follow(log)
    const before = await say(log, "1")
    await following.until(told(before.position.offset))
    await young.client.sendCommand(["REPLICAOF", "127.0.0.1", String(old.port)])
    await old.replicated()
    await young.client.sendCommand(["REPLICAOF", "NO", "ONE"])
    await old.client.sendCommand(["REPLICAOF", "127.0.0.1", String(young.port)])
    address.target = young.port
    const after = await say(log, "2")
    expect(after.position.epoch).not.toBe(before.position.epoch)
    await following.until(({ epoch }) => epoch === after.position.epoch)
    expect(await textsIn(opened(young.url))).toEqual(["1", "2"])
  })
})

describe("a Redis that cannot be used", () => {
  const codeAndText = (code: string, text: string) => ({ code, message: expect.stringContaining(text) })

  test("is refused when the URL is none", () => {
    for (const url of ["localhost:6379", "http://localhost", ""]) {
      expect(() => redisLog(url)).toThrowError(
        expect.objectContaining(codeAndText("log_unusable", "redis://")),
      )
    }
    expect(() => redisLog({} as never)).toThrowError(expect.objectContaining({ code: "log_unusable" }))
    const rootNodes = [{ url: "redis://localhost" }]
    const sentinelRootNodes = [{ host: "localhost", port: 26379 }]
    for (const client of [
      createClient({ keyPrefix: "a:" }),
      createCluster({ rootNodes, keyPrefix: "a:" }),
      createSentinel({ name: "main", sentinelRootNodes, keyPrefix: "a:" }),
    ]) {
      expect(() => redisLog(client)).toThrowError(
        expect.objectContaining(codeAndText("log_unusable", "keyPrefix")),
      )
    }
    for (const prefix of ["", "a{b}"]) {
      expect(() => redisLog("redis://localhost", { prefix })).toThrowError(
        expect.objectContaining({ code: "log_unusable" }),
      )
    }
  })

  test("is refused when it is too old, a replica, or throws keys away", () => {
    const info = (fields: Record<string, string>) =>
      Object.entries({ redis_version: "7.2.4", role: "master", maxmemory: "100", ...fields })
        .map(([name, value]) => `${name}:${value}`)
        .join("\r\n")
    const failure = (fields: Record<string, string>) => {
      try {
        checkServer(info(fields))
        return undefined
      } catch (error) {
        return error
      }
    }
    expect(failure({ redis_version: "6.2.14" })).toMatchObject(codeAndText("log_unusable", "Redis 7"))
    expect(failure({ role: "slave" })).toMatchObject(codeAndText("log_unavailable", "replica"))
    for (const policy of ["allkeys-lru", "volatile-ttl"]) {
      expect(failure({ maxmemory_policy: policy })).toMatchObject(codeAndText("log_unusable", "noeviction"))
    }
    expect(failure({ maxmemory_policy: "allkeys-lru", maxmemory: "0" })).toBeUndefined()
    expect(failure({ maxmemory_policy: "noeviction" })).toBeUndefined()
  })

  test("is reported as away when nothing listens", async () => {
    const problems: unknown[] = []
    const log = opened("redis://127.0.0.1:1", { waitMs: 2_000, onError: (error) => problems.push(error) })
    await expect(log.head("a")).rejects.toMatchObject(codeAndText("log_unavailable", "ECONNREFUSED"))
    await expect(log.watch("a", () => undefined)).rejects.toMatchObject({ code: "log_unavailable" })
    expect(problems).toHaveLength(1)
  })

  test.skipIf(!program("redis-server"))("is said to refuse a wrong password, at once", async () => {
    const server = await startRedis(["--requirepass", "right"])
    onTestFinished(() => server.destroy())
    for (const url of [server.url, `redis://:wrong@127.0.0.1:${server.port}`]) {
      const log = opened(url, { waitMs: 50_000 })
      await expect(log.head("a")).rejects.toMatchObject(codeAndText("log_unavailable", "password"))
      await expect(say(log, "x")).rejects.toMatchObject({ code: "log_unavailable" })
    }
    const log = opened(`redis://:right@127.0.0.1:${server.port}`)
    await say(log, "hello")
    expect(await textsIn(log)).toEqual(["hello"])
  })

  test.skipIf(!program("redis-server"))(
    "is used by a user who may do no more than what is needed",
    async () => {
      const server = await startRedis()
      onTestFinished(() => server.destroy())
      const needed = "~holdfast:* &holdfast:* +@read +@write +@scripting +@pubsub +@connection +info +time"
      const user = async (name: string, rules: string) => {
        await server.client.sendCommand(["ACL", "SETUSER", name, "on", ">pw", ...rules.split(" ")])
        return `redis://${name}:pw@127.0.0.1:${server.port}`
      }
      const log = opened(await user("app", needed))
      const following = await follow(log)
      const { position } = await say(log, "hello")
      await following.until(told(position.offset))
      expect(await textsIn(log)).toEqual(["hello"])
      const mute = opened(await user("mute", needed.replace("&holdfast:*", "resetchannels")))
      await expect(say(mute, "unheard")).rejects.toMatchObject(
        codeAndText("log_unavailable", "may not publish"),
      )
      expect(await textsIn(log)).toEqual(["hello"])
      const other = opened(await user("other", needed.replaceAll("holdfast", "else")))
      await expect(say(other, "x")).rejects.toMatchObject(
        codeAndText("log_unavailable", "what the user may do"),
      )
    },
  )

  test.skipIf(!program("redis-server"))(
    "is left as it is when its keys belong to something else",
    async () => {
      const server = await startRedis()
      onTestFinished(() => server.destroy())
      const first = opened(server.url)
      await say(first, "hello")
      const [partition] = await server.client.keys("holdfast:{*}")
      await server.client.hSet(partition as string, "format", "holdfast 99")
      const content = await server.client.hGetAll(partition as string)
      for (const log of [first, opened(server.url)]) {
        for (const use of [
          () => say(log, "x"),
          () => log.head("a"),
          () => log.trim("a", { said: retention }, Date.now()),
        ]) {
          await expect(use()).rejects.toMatchObject(codeAndText("log_unusable", "holdfast 99"))
        }
      }
      expect(await server.client.hGetAll(partition as string)).toEqual(content)
      for (const write of [
        () => server.client.set(partition as string, "theirs"),
        () => server.client.hSet(partition as string, "theirs", "1"),
      ]) {
        await server.client.del(partition as string)
        await write()
        const before = await server.client.dump(partition as string)
        for (const use of [() => say(first, "x"), () => first.head("a")]) {
          await expect(use()).rejects.toMatchObject(codeAndText("log_unusable", "prefix"))
        }
        expect(await server.client.dump(partition as string)).toEqual(before)
      }
    },
  )
})
