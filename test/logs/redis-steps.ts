import { onTestFinished } from "vitest"
import type { Batch, Log } from "../../src/log/log.ts"
import type { AppendOptions, Operation, Outcome, Retention } from "../../src/log/operation.ts"
import { type RedisClient, type RedisLogOptions, redisLog } from "../../src/logs/redis/index.ts"

// What the tests of the Redis log do again and again.

export const retention: Retention = {
  entries: 1_000,
  forMs: Infinity,
  bytes: Infinity,
  removalsForMs: Infinity,
}

export const everything = {
  after: 0,
  through: Number.MAX_SAFE_INTEGER,
  select: "all",
  entriesMax: 1e5,
  bytesMax: 1e9,
} as const

export function fact(text: string, at = Date.now()): Operation {
  return { operation: "append", collection: "said", key: "", body: Buffer.from(text), at }
}

export function change(operation: "put" | "extend" | "remove", key: string, text = ""): Operation {
  return { operation, collection: "keys", key, body: Buffer.from(text), at: Date.now() }
}

export function append(
  log: Log,
  operation: Operation,
  options: Partial<AppendOptions> = {},
  channel = "a",
): Promise<Outcome> {
  return log.append(channel, operation, { retention, ...options })
}

export function say(log: Log, text: string, channel = "a"): Promise<Outcome> {
  return append(log, fact(text), {}, channel)
}

export async function entriesIn(log: Log, channel = "a") {
  const { entries } = await log.read(channel, everything)
  return entries.map(({ body, offset }) => ({ text: Buffer.from(body).toString(), offset }))
}

export async function textsIn(log: Log, channel = "a"): Promise<string[]> {
  return (await entriesIn(log, channel)).map(({ text }) => text)
}

/** A log that ends with the test. */
export function opened(target: string | RedisClient, options: RedisLogOptions = {}): Log {
  const log = redisLog(target, { onError: () => undefined, ...options })
  onTestFinished(() => log.close())
  return log
}

/** Follows a channel, and waits for batches. */
export async function follow(log: Log, channel = "a") {
  const batches: Batch[] = []
  const waiting = new Set<() => void>()
  const stop = await log.watch(channel, (batch) => {
    batches.push(batch)
    for (const look of waiting) look()
  })
  const until = (condition: (batch: Batch) => boolean) =>
    new Promise<Batch>((resolve) => {
      const look = () => {
        const found = batches.find(condition)
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  return { batches, stop, until }
}

export const told = (offset: number) => (batch: Batch) =>
  batch.entries.some((entry) => entry.offset === offset)

/** A batch that says where the channel stands after an interruption. */
export const isHead = ({ entries }: Batch) => entries.length === 0
