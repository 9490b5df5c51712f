import { channel, contract } from "holdfast"
import { z } from "zod"

export const app = contract({
  "room/:room": channel({
    events: { said: z.object({ by: z.string(), number: z.number() }) },
    presence: z.object({ name: z.string() }),
    keep: { events: 10_000 },
  }),
})
