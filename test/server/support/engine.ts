import { connect } from "holdfast/client"
import { type RedisLogOptions, redisLog } from "holdfast/redis"
import { onTestFinished } from "vitest"
import { WebSocket } from "ws"
import { type app, startTestHub } from "./hubs.ts"
import { WireClient } from "./wire-client.ts"

let prefixes = 0

/** Quick to see what is wrong, so that tests are; but a Redis on a busy machine is not taken for silent. */
const QUICK: RedisLogOptions = { waitMs: 4_000, answerTimeoutMs: 2_000, heartbeatMs: 100 }

/** Nodes on one Redis. Each can have a way of its own to it. */
export async function startEngineNodes(urls: readonly string[], options: RedisLogOptions = {}) {
  const prefix = `engine-${++prefixes}`
  return Promise.all(
    urls.map(async (url) => {
      const log = redisLog(url, { prefix, onError: () => undefined, ...QUICK, ...options })
      const node = await startTestHub({ log, limits: { retryMs: 50 } })
      return { ...node, room: node.hub.channel("room/:room", { room: "a" }) }
    }),
  )
}

export interface Heard {
  readonly text: string
  readonly epoch: string
  readonly offset: number
}

/** A client that notes what it hears, with its offset, and what it is told is missing. */
export function listen(url: string) {
  const client = connect<typeof app>(url, { WebSocket, backoff: { minMs: 5, maxMs: 50 } })
  client.on("error", () => undefined)
  onTestFinished(() => client.close())
  const room = client.channel("room/:room", { room: "a" })
  const heard: Heard[] = []
  const gaps: string[] = []
  const statuses: string[] = []
  let wake = () => {}
  client.on("status", (status) => statuses.push(status))
  room.on("said", ({ text }, { offset }) => {
    heard.push({ text, epoch: room.position?.epoch ?? "", offset })
    wake()
  })
  room.onGap(({ reason }) => {
    gaps.push(reason)
    wake()
  })
  const until = async (met: () => boolean) => {
    while (!met()) await new Promise<void>((resolve) => (wake = resolve))
  }
  return {
    client,
    room,
    heard,
    gaps,
    statuses,
    texts: () => heard.map(({ text }) => text),
    until,
    /** Resolves when it has heard this. */
    hears: (text: string) => until(() => heard.some((each) => each.text === text)),
  }
}

/** A client of the wire that is told of the log's state. */
export async function watchLog(url: string) {
  const client = await WireClient.greet(url)
  return {
    client,
    /** Resolves with the next change. */
    next: async () => (await client.next("log")).available,
  }
}
