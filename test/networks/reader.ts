import { type ConnectOptions, connect } from "holdfast/client"
import { onTestFinished } from "vitest"
import { WebSocket } from "ws"
import type { counter } from "./counter.ts"

/** Reads the counter until the test is over. */
export interface Reader {
  /** What came, in the order in which it came. */
  readonly heard: readonly number[]
  /** What was told to be missing. */
  readonly gaps: readonly string[]
  /** How often it has come to the server. */
  readonly connections: () => number
  /** Resolves when so many came. */
  readonly reach: (count: number) => Promise<void>
}

export interface Tally extends Reader {
  readonly hear: (number: number) => void
  readonly miss: (reason: string) => void
  readonly enter: () => void
}

export function tally(): Tally {
  const heard: number[] = []
  const gaps: string[] = []
  let connections = 0
  let wake = () => {}
  return {
    heard,
    gaps,
    connections: () => connections,
    async reach(count) {
      while (heard.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    hear(number) {
      heard.push(number)
      wake()
    },
    miss: (reason) => void gaps.push(reason),
    enter() {
      connections++
    },
  }
}

/** The SDK, as a user has it. */
export async function readWithSdk(port: number, options: ConnectOptions = {}): Promise<Reader> {
  const notes = tally()
  const client = connect<typeof counter>(`ws://127.0.0.1:${port}`, {
    WebSocket,
    backoff: { minMs: 5, maxMs: 50 },
    ...options,
  })
  onTestFinished(() => client.close())
  client.on("error", () => undefined)
  client.on("status", (status) => status === "open" && notes.enter())
  const channel = client.channel("counter")
  channel.on("counted", notes.hear)
  channel.onGap(({ reason }) => notes.miss(reason))
  await channel.ready()
  return notes
}
