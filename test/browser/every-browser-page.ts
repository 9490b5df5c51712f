import { channel, contract } from "holdfast"
import { type Client, connect } from "holdfast/client"
import { msgpack } from "holdfast/msgpack"
import { durableOutbox } from "holdfast/outbox"
import { sharedTabs } from "holdfast/tabs"
import { z } from "zod/mini"

export const app = contract({
  "room/:room": channel({
    events: { said: z.number(), blob: z.instanceof(Uint8Array) },
    presence: z.string(),
    keep: { events: 5_000 },
  }),
})

/** A client in a page, as the test holds it. */
export interface EveryPage {
  readonly client: Client<typeof app>
  readonly heard: number[]
  readonly blobs: number[][]
  readonly gaps: string[]
  readonly publish: (n: number) => void
  readonly send: (bytes: readonly number[]) => Promise<number>
  readonly enter: (name: string) => Promise<void>
  /** Resolves when so many were heard. */
  readonly hears: (count: number) => Promise<number[]>
  readonly sees: (count: number) => Promise<string[]>
  readonly opened: () => Promise<void>
}

// the server imports the contract from here too
if (typeof window === "object") {
  const what = location.search.slice(1)
  const client = connect<typeof app>("/holdfast", {
    ...(what === "msgpack" && { codec: msgpack }),
    ...(what === "outbox" && { outbox: durableOutbox("every", { ownerTimeoutMs: 5_000 }) }),
    ...(what === "tabs" && { transport: sharedTabs() }),
    // the last one has all the time that it needs
    ...(what === "sse" && { transports: ["websocket", "sse"] as const }),
    backoff: { minMs: 20, maxMs: 100 },
  })
  // that lines fail is what the tests are about
  client.on("error", () => {})
  const room = client.channel("room/:room", { room: "lobby" }, { history: "all" })
  const page = { client, heard: [] as number[], blobs: [] as number[][], gaps: [] as string[] }
  room.on("said", (n) => page.heard.push(n))
  room.on("blob", (bytes) => page.blobs.push([...bytes]))
  room.onGap(({ reason }) => page.gaps.push(reason))
  const opened = new Promise<void>((resolve) => {
    client.on("status", (status) => status === "open" && resolve())
  })
  const every: EveryPage = {
    ...page,
    publish: (n) => void room.publish("said", n).catch(() => {}),
    send: async (bytes) => (await room.publish("blob", new Uint8Array(bytes))).offset,
    enter: (name) => room.presence.enter(name),
    hears: (count) =>
      new Promise((resolve) => {
        const look = () => page.heard.length >= count && resolve(page.heard)
        room.on("said", look)
        look()
      }),
    sees: (count) =>
      new Promise((resolve) => {
        const look = () => {
          const names = [...room.presence.members.values()].sort()
          if (names.length === count) resolve(names)
        }
        room.presence.onChange(look)
        look()
      }),
    opened: () => opened,
  }
  Object.assign(window, { every })
}
