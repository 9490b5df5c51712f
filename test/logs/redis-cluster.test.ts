import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import type { Batch, Log } from "../../src/log/log.ts"
import { redisLog } from "../../src/logs/redis/index.ts"
import { program } from "../support/program.ts"
import {
  type RedisCluster,
  type RedisServer,
  startClusterReplica,
  startRedisCluster,
} from "../support/redis.ts"
import { append, change, everything, fact, told as has, opened as openedLog, textsIn } from "./redis-steps.ts"

const channels = Array.from({ length: 30 }, (_, index) => `room/${index}`)

const say = (log: Log, channel: string, text: string) => append(log, fact(text), {}, channel)

/** Follows channels, and tells when a condition on what was told of one holds. */
async function follow(log: Log, names: readonly string[]) {
  const told = new Map<string, Batch[]>(names.map((name) => [name, []]))
  const looks = new Set<() => void>()
  for (const name of names) {
    await log.watch(name, (batch) => {
      told.get(name)?.push(batch)
      for (const look of looks) look()
    })
  }
  return (name: string, condition: (batch: Batch) => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (told.get(name)?.some(condition)) resolve()
      }
      looks.add(look)
      look()
    })
}

describe.skipIf(!program("redis-server"))("the Redis log on a cluster", () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startRedisCluster()
  })
  afterAll(() => cluster.destroy())

  function opened(): Log {
    const log = redisLog(cluster.client(), { onError: () => undefined })
    onTestFinished(() => log.close())
    return log
  }

  test("spreads channels over the shards, and keeps all of one in one slot", async () => {
    const log = opened()
    for (const channel of channels) await say(log, channel, "hello")
    for (const { client } of cluster.servers) {
      const keys = await client.keys("*")
      expect(keys.length).toBeGreaterThan(0)
      const slots = new Map<string, Set<unknown>>()
      for (const key of keys) {
        const [, partition] = /\{(\d+)\}/.exec(key) ?? []
        const found = slots.get(partition ?? "") ?? new Set()
        slots.set(partition ?? "", found.add(await client.sendCommand(["CLUSTER", "KEYSLOT", key])))
      }
      for (const found of slots.values()) expect(found.size).toBe(1)
    }
  })

  test("tells of channels on all shards, also after the connections for it were cut", async () => {
    const [here, there] = [opened(), opened()]
    const until = await follow(here, channels)
    for (const channel of channels) {
      const { position } = await say(there, channel, "1")
      await until(channel, has(position.offset))
    }
    for (const { client } of cluster.servers) await client.sendCommand(["CLIENT", "KILL", "TYPE", "pubsub"])
    for (const channel of channels) await until(channel, ({ entries }) => entries.length === 0)
    for (const channel of channels) {
      const { position } = await say(there, channel, "2")
      await until(channel, has(position.offset))
    }
  })

  test("follows a slot that moves to another shard", async () => {
    const log = opened()
    const until = await follow(log, ["moving"])
    const first = await say(log, "moving", "1")
    await until("moving", has(first.position.offset))
    await moveSlotOf("holdfast:{*}:h:moving")
    await until("moving", ({ entries, after }) => entries.length === 0 && after === first.position.offset)
    const second = await say(log, "moving", "2")
    await until("moving", has(second.position.offset))
    expect(await textsIn(opened(), "moving")).toEqual(["1", "2"])
    // A slot that moves was replicated to the other server without a loss, but that cannot be known there.
    expect(second.position.offset).toBeGreaterThan(first.position.offset)
  })

  test("changes nothing halfway while a slot moves", async () => {
    const log = openedLog(cluster.client(), { tombstonesPerCollectionMax: 1 })
    const account = { name: "ada", keysMax: 10, idempotencyKeysMax: 100 }
    let count = 0
    const apply = (operation: "put" | "extend" | "remove", key: string) => {
      const dedupe = { key: `${++count}`, fingerprint: "f", windowMs: 60_000 }
      return append(log, change(operation, key, "x"), { dedupe, account }, "halfway")
    }
    for (const key of ["a", "b", "c"]) await apply("put", key)
    // a removal, the only one that is remembered, a value that grows, accounts and facts: so there are all the keys that a channel can have
    await apply("remove", "a")
    await apply("extend", "c")
    await say(log, "halfway", "1")
    const { from, begin, end } = await move("holdfast:{*}:h:halfway")
    await from.client.sendCommand(["CONFIG", "RESETSTAT"])
    await begin()
    const changes = [apply("put", "a"), apply("remove", "b"), apply("put", "d"), say(log, "halfway", "2")]
    const seen = new Promise<void>((resolve) => {
      const look = async (): Promise<void> => {
        const stats = String(await from.client.info("errorstats"))
        if (/errorstat_(TRYAGAIN|ERR)/.test(stats)) resolve()
        else await look()
      }
      void look()
    })
    await Promise.race([seen, Promise.allSettled(changes)])
    await end()
    const offsets = (await Promise.all(changes)).map(({ position }) => position.offset)
    expect(new Set(offsets).size).toBe(4)
    const { entries } = await log.read("halfway", { ...everything, after: offsets[0] as number })
    expect(entries.map(({ offset }) => offset)).toEqual(offsets.slice(1))
  })

  test("goes on with the other shards when one is away", async () => {
    const partial = await startRedisCluster(["--cluster-require-full-coverage", "no"])
    onTestFinished(() => partial.destroy())
    const log = redisLog(partial.client(), {
      waitMs: 4_000,
      answerTimeoutMs: 2_000,
      onError: () => undefined,
    })
    onTestFinished(() => log.close())
    for (const channel of channels) await say(log, channel, "1")
    const isGone = new Set(
      (await partial.servers[0]?.client.keys("*:h:*"))?.map((key) => key.split(":").at(-1)),
    )
    expect(isGone.size).toBeGreaterThan(0)
    await partial.servers[0]?.stop("SIGKILL")
    const outcomes = await Promise.allSettled(channels.map((channel) => say(log, channel, "2")))
    for (const [index, { status }] of outcomes.entries()) {
      expect(status).toBe(isGone.has(channels[index]) ? "rejected" : "fulfilled")
    }
    for (const channel of channels.filter((name) => !isGone.has(name))) await say(log, channel, "3")
    await partial.servers[0]?.start()
    const back = redisLog(partial.client(), { onError: () => undefined })
    onTestFinished(() => back.close())
    for (const channel of channels) await say(back, channel, "4")
  })

  test("tells of channels on the other shards again, whatever waits for one that is away", async () => {
    const partial = await startRedisCluster(["--cluster-require-full-coverage", "no"])
    onTestFinished(() => partial.destroy())
    const make = () => {
      // far longer than the test takes: nobody is waited for
      const log = redisLog(partial.client(), {
        waitMs: 50_000,
        heartbeatMs: 200,
        onError: () => undefined,
      })
      onTestFinished(() => log.close())
      return log
    }
    const [here, there] = [make(), make()]
    const until = await follow(here, channels)
    for (const channel of channels) await say(there, channel, "1")
    const [away, ...others] = partial.servers as [RedisServer, ...RedisServer[]]
    const gone = new Set((await away.client.keys("*:h:*")).map((key) => key.split(":").at(-1)))
    await away.stop("SIGKILL")
    for (const { client } of others) await client.sendCommand(["CLIENT", "KILL", "TYPE", "pubsub"])
    for (const channel of channels.filter((name) => !gone.has(name))) {
      await until(channel, ({ entries }) => entries.length === 0)
      const { position } = await say(there, channel, "2")
      await until(channel, has(position.offset))
    }
  })

  test("tells of channels whose silent server was replaced by another", async () => {
    const args = ["--cluster-require-full-coverage", "no"]
    const failing = await startRedisCluster(args)
    onTestFinished(() => failing.destroy())
    const [master] = failing.servers as [RedisServer]
    const replica = await startClusterReplica(failing, args)
    onTestFinished(() => replica.destroy())
    const quick = { answerTimeoutMs: 1_000, heartbeatMs: 100, onError: () => undefined }
    const [here, there] = [redisLog(failing.client(), quick), redisLog(failing.client(), quick)]
    onTestFinished(() => Promise.all([here.close(), there.close()]).then(() => undefined))
    const until = await follow(here, channels)
    const before = new Map<string, string>()
    for (const channel of channels) before.set(channel, (await say(there, channel, "1")).position.epoch)
    const [key] = await master.client.keys("*:h:*")
    const moved = key?.split(":").at(-1) as string
    // by itself, or by where the channel stands, if the connection was lost meanwhile
    await until(moved, ({ entries, after }) => entries.length > 0 || after > 0)
    process.kill(master.pid(), "SIGSTOP")
    await replica.takeOver()
    const again = async (): Promise<string> =>
      say(there, moved, "2").then(
        ({ position }) => position.epoch,
        (error) => (error.code === "closed" ? Promise.reject(error) : again()),
      )
    // here nothing is asked of that server
    const epoch = await again()
    expect(epoch).not.toBe(before.get(moved))
    await until(moved, (batch) => batch.epoch === epoch)
  })

  async function moveSlotOf(pattern: string): Promise<void> {
    const { begin, end } = await move(pattern)
    await begin()
    await end()
  }

  /** A move of the slot that has these keys to another shard. */
  async function move(pattern: string) {
    const owners = await Promise.all(cluster.servers.map(({ client }) => client.keys(pattern)))
    const from = cluster.servers[owners.findIndex((keys) => keys.length > 0)] as RedisServer
    const to = cluster.servers.find((server) => server !== from) as RedisServer
    const [key] = owners.flat()
    const ask = async ({ client }: RedisServer, ...args: string[]) => String(await client.sendCommand(args))
    const slot = await ask(from, "CLUSTER", "KEYSLOT", key as string)
    const [fromId, toId] = [await ask(from, "CLUSTER", "MYID"), await ask(to, "CLUSTER", "MYID")]
    return {
      from,
      async begin() {
        await ask(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", fromId)
        await ask(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", toId)
      },
      async end() {
        const found = await from.client.sendCommand(["CLUSTER", "GETKEYSINSLOT", slot, "100"])
        const keys = found as unknown as string[]
        await ask(from, "MIGRATE", "127.0.0.1", String(to.port), "", "0", "5000", "KEYS", ...keys)
        for (const server of [to, from]) await ask(server, "CLUSTER", "SETSLOT", slot, "NODE", toId)
      },
    }
  }
})
