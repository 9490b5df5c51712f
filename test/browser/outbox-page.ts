import { channel, contract } from "holdfast"
import { connect } from "holdfast/client"
import { durableOutbox } from "holdfast/outbox"
import { z } from "zod/mini"

export const app = contract({ "room/:room": channel({ events: { said: z.string() } }) })

/** A page with a durable outbox, as the test holds it. */
export interface OutboxPage {
  readonly publish: (text: string) => void
  readonly pending: () => number
  readonly status: () => string
  readonly close: () => void
  /** The codes of what was told as an error, and texts of what was answered. */
  readonly errors: string[]
  readonly answered: string[]
}

declare global {
  interface Window {
    outboxPage: OutboxPage
  }
}

// the server imports the contract from here too
if (typeof window === "object") {
  const client = connect<typeof app>("/holdfast", {
    outbox: durableOutbox("test", { ownerTimeoutMs: 5_000 }),
    backoff: { minMs: 20, maxMs: 50 },
  })
  const room = client.channel("room/:room", { room: "lobby" })
  const errors: string[] = []
  const answered: string[] = []
  client.on("error", (error) => {
    const { code } = error as { code: string }
    // that there is no server is what the tests are about
    if (code !== "connection_lost") errors.push(code)
  })
  window.outboxPage = {
    publish: (text) => {
      room.publish("said", text).then(
        () => answered.push(text),
        (error: { code: string }) => errors.push(error.code),
      )
    },
    pending: () => client.pending,
    status: () => client.status,
    close: client.close,
    errors,
    answered,
  }
}
