import { type ChannelOptions, type ConnectOptions, connect } from "holdfast/client"
import { onTestFinished } from "vitest"
import { WebSocket } from "ws"
import type { counter } from "./counter.ts"

/** Reads the counter until the test is over. */
export interface Reader {
  /** What came, in the order in which it came. */
  readonly heard: readonly number[]
  /** What was told to be missing. */
  readonly gaps: readonly string[]
  /** How often its line was cut, or its request failed. */
  readonly cuts: () => number
  /** Looks whenever something has changed. */
  readonly until: (met: () => boolean) => Promise<void>
}

export interface Tally extends Reader {
  readonly hear: (number: number) => void
  readonly miss: (reason: string) => void
  readonly cut: () => void
  /** Something else has changed. */
  readonly wake: () => void
}

export function tally(): Tally {
  const heard: number[] = []
  const gaps: string[] = []
  const waiting = new Set<() => void>()
  let cuts = 0
  const wake = () => {
    for (const look of waiting) look()
  }
  return {
    heard,
    gaps,
    cuts: () => cuts,
    until: (met) =>
      new Promise((resolve) => {
        const look = () => {
          if (!met()) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    wake,
    hear(number) {
      heard.push(number)
      wake()
    },
    miss(reason) {
      gaps.push(reason)
      wake()
    },
    cut() {
      cuts++
      wake()
    },
  }
}

/** The SDK, as a user has it. */
export async function readWithSdk(
  port: number,
  options: ConnectOptions = {},
  channelOptions: ChannelOptions = {},
) {
  const notes = tally()
  const client = connect<typeof counter>(`ws://127.0.0.1:${port}`, {
    WebSocket,
    backoff: { minMs: 5, maxMs: 50 },
    ...options,
  })
  onTestFinished(() => client.close())
  client.on("error", () => undefined)
  let isOpen = false
  const transports: (string | undefined)[] = []
  client.on("status", (status) => {
    if (isOpen) notes.cut()
    isOpen = status === "open"
    if (isOpen) transports.push(client.transport)
    notes.wake()
  })
  const channel = client.channel("counter", {}, channelOptions)
  channel.on("counted", notes.hear)
  channel.onGap(({ reason }) => notes.miss(reason))
  await channel.ready()
  return { ...notes, client, channel, transports }
}

/** The SDK, and one transport of it. */
export const readBy = (transport: "websocket" | "sse" | "poll") => (port: number) =>
  readWithSdk(port, { transports: [transport] })
