import { channel, contract } from "holdfast"
import { HoldfastError, type HubOptions } from "holdfast/server"
import { z } from "zod"

export const app = contract({
  "room/:room": channel({
    events: {
      said: {
        input: z.object({ text: z.string().min(1) }),
        output: z.object({ text: z.string(), by: z.string() }),
      },
    },
    keep: { events: 100 },
  }),
})

interface User {
  readonly name: string
}

/** The chat's rules, as `createHub` takes them. `bill` is told of each message once, whatever the network does. */
export function chat(bill: (name: string) => void): HubOptions<typeof app, User> {
  const billed = new Set<string>()
  return {
    authenticate: ({ token }) => {
      if (token === undefined) throw new HoldfastError("unauthorized", "Say who you are.")
      return { name: token }
    },
    channels: {
      "room/:room": {
        subscribe: true,
        events: {
          said: ({ user, data, idempotencyKey }) => {
            // a message whose answer was lost comes again, under the same key
            if (!billed.has(idempotencyKey)) bill(user.name)
            billed.add(idempotencyKey)
            return { text: data.text, by: user.name }
          },
        },
      },
    },
  }
}
