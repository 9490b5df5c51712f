import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest"
import { missed } from "../../src/log/cursor.ts"
import type { Log } from "../../src/log/log.ts"
import type { Retention } from "../../src/log/operation.ts"
import { placeOf } from "../../src/logs/redis/keys.ts"
import { program } from "../support/program.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { append, change, fact, follow, opened, retention, told } from "./redis-steps.ts"

const brief: Retention = { ...retention, forMs: 1_000, removalsForMs: 1_000 }
const collections = { said: brief, keys: brief }

/** Another channel that is kept in the same partition. */
function neighbourOf(channel: string): string {
  const { partition } = placeOf("holdfast", channel)
  for (let number = 0; ; number++) {
    const name = `neighbour ${number}`
    if (placeOf("holdfast", name).partition === partition) return name
  }
}

describe.skipIf(!program("redis-server"))("a channel that has an end", () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterEach(async () => {
    await server.client.flushAll()
  })
  afterAll(() => server.destroy())

  const keysOf = async (channel: string) => {
    const keys = await server.client.keys(`holdfast:{*}:*:${channel}`)
    // what answers a repeated batch expires by itself
    return keys.filter((key) => !key.endsWith(`:m:${channel}`)).sort()
  }
  const expiryOf = async (channel: string) => {
    const keys = (await keysOf(channel)).filter((key) => !/:[dq]:/.test(key))
    return new Set(await Promise.all(keys.map((key) => server.client.pExpireTime(key))))
  }

  /** Leaves a channel with all the keys that one can have. */
  async function fill(log: Log, channel: string, at = Date.now()) {
    const account = { name: "ada", keysMax: 10, idempotencyKeysMax: 10 }
    const dedupe = { key: "k", fingerprint: "f", windowMs: 1_000 }
    const options = { retention: brief, account }
    await append(log, fact("1", at), { ...options, dedupe }, channel)
    for (const operation of ["put", "extend"] as const) {
      await append(log, { ...change(operation, "k", "x"), at }, options, channel)
    }
    return append(log, { ...change("remove", "other"), at }, options, channel)
  }

  test("has no keys any more when nothing is left in it", async () => {
    const log = opened(server.url)
    const { position } = await fill(log, "a")
    expect(await keysOf("a")).toHaveLength(8)
    await log.trim("a", collections, Date.now() + 2_000)
    expect(await keysOf("a")).toEqual([])
    expect(await log.head("a")).toMatchObject({ top: position.offset, base: position.offset, floors: {} })
  })

  test("expires, all at one moment, a minute at least behind its end", async () => {
    const log = opened(server.url)
    const before = Date.now()
    await fill(log, "a")
    const expiries = await expiryOf("a")
    expect(expiries.size).toBe(1)
    const [at] = [...expiries]
    expect(at).toBeGreaterThan(before + 60_000)
    expect(at).toBeLessThan(before + 300_000)
    for (const part of ["d", "q"]) {
      const [key] = await server.client.keys(`holdfast:{*}:${part}:a`)
      expect(await server.client.pTTL(key as string)).toBeGreaterThan(0)
    }
  })

  test.each([
    ["behind", -3_600_000, [60_000, 300_000]],
    ["ahead", 3_600_000, [3_660_000, 7_200_000]],
  ] as const)("is kept for its time when a node's clock is an hour %s", async (_, skewMs, [least, most]) => {
    const log = opened(server.url)
    const now = Date.now()
    await fill(log, "a", now + skewMs)
    for (const at of await expiryOf("a")) {
      expect(at - now).toBeGreaterThan(least)
      expect(at - now).toBeLessThan(most)
    }
  })

  test("that has expired lets no cursor pass that has missed something", async () => {
    const log = opened(server.url)
    const [first, last] = [await fill(log, "a"), await append(log, fact("2"), { retention: brief })]
    const keys = await keysOf("a")
    // its end, by the clock of the server
    const end = Date.now() + 1_000
    while (Date.now() <= end) await server.client.ping()
    await server.client.del(keys)
    const head = await log.head("a")
    expect(head).toMatchObject({ top: head.base, floors: {} })
    expect(head.base).toBeGreaterThanOrEqual(last.position.offset)
    expect(missed(first.position, head)).toMatchObject({ reason: "trimmed", collections: undefined })
    const next = await append(log, fact("3"), { retention: brief })
    expect(next.position.offset).toBeGreaterThan(head.base)
    expect(missed(first.position, await log.head("a"))).toMatchObject({ reason: "trimmed" })
  })

  test("expires no more when something without an end is added to it", async () => {
    const log = opened(server.url)
    await fill(log, "a")
    await append(log, { ...change("put", "k"), collection: "lasting" })
    expect(await expiryOf("a")).toEqual(new Set([-1]))
    await append(log, { ...change("remove", "k"), collection: "lasting" }, { retention: brief })
    expect((await expiryOf("a")).has(-1)).toBe(false)
  })

  test("goes on when it is used again, also in lists that were emptied", async () => {
    const log = opened(server.url)
    const none = { ...brief, entries: 0 }
    await append(log, fact("1"), { retention: none })
    await append(log, fact("2"), { retention: brief })
    await append(log, change("put", "k"), { retention: none })
    await append(log, change("put", "l"), { retention: brief })
    expect((await expiryOf("a")).size).toBe(1)
    expect((await expiryOf("a")).has(-1)).toBe(false)
  })

  test("keeps its head while it is watched, whatever else is forgotten", async () => {
    const [log, other] = [opened(server.url), opened(server.url)]
    const neighbour = neighbourOf("a")
    const following = await follow(log)
    const { position } = await fill(log, "a")
    await log.trim("a", collections, Date.now() + 2_000)
    const head = await log.head("a")
    expect(head).toMatchObject({ top: position.offset, base: position.offset })
    const forgotten = await fill(other, neighbour)
    await other.trim(neighbour, collections, Date.now() + 2_000)
    expect((await other.head(neighbour)).base).toBe(forgotten.position.offset)
    expect(await log.head("a")).toEqual(head)
    const next = await append(other, fact("3"), { retention: brief })
    const batch = await following.until(told(next.position.offset))
    expect(batch.after).toBe(position.offset)
    for (const at of await expiryOf("a")) expect(at).toBeGreaterThan(Date.now() + 60_000)
  })

  test("keeps its base while it is watched, also when it was never used", async () => {
    const log = opened(server.url)
    const neighbour = neighbourOf("a")
    await follow(log)
    const head = await log.head("a")
    await fill(log, neighbour)
    await log.trim(neighbour, collections, Date.now() + 2_000)
    expect(await log.head("a")).toEqual(head)
    expect((await expiryOf("a")).has(-1)).toBe(false)
  })

  test("is put off by trim while it is watched", async () => {
    const log = opened(server.url)
    await follow(log)
    await fill(log, "a")
    const [before] = [...(await expiryOf("a"))]
    await log.trim("a", collections, Date.now())
    const [after] = [...(await expiryOf("a"))]
    expect((after as number) - (before as number)).toBeGreaterThan(600_000)
  })
})
