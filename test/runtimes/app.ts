import { channel, contract } from "holdfast"
import type { HubOptions } from "holdfast/testing"
import { z } from "zod"

export const app = contract({
  "room/:room": channel({
    events: { said: z.number(), blob: z.instanceof(Uint8Array) },
    state: { topic: z.string() },
    presence: z.object({ name: z.string() }),
    signals: { typing: z.object({ on: z.boolean() }) },
    calls: {
      whoAmI: { input: z.null(), output: z.string() },
      double: { input: z.number(), output: z.number(), errors: { too_large: z.object({ max: z.number() }) } },
    },
  }),
})

export interface User {
  readonly name: string
}

/** A token is `token of NAME`. */
export const options: HubOptions<typeof app, User> = {
  logger: { warn: () => undefined, error: console.error },
  authenticate: ({ token }) => {
    const [, name] = /^token of (.+)$/.exec(token ?? "") ?? []
    if (name === undefined) throw new Error("a forged token")
    return { name }
  },
  channels: {
    "room/:room": {
      subscribe: true,
      events: { said: ({ data }) => data, blob: ({ data }) => data },
      state: { topic: ({ data }) => data },
      presence: ({ user }) => user,
      signals: { typing: ({ data }) => data },
      calls: {
        whoAmI: ({ user }) => user.name,
        double: ({ input, fail }) => (input > 1000 ? fail("too_large", { max: 1000 }) : input * 2),
      },
    },
  },
}
