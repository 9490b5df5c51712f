import { channel, contract } from "holdfast"
import { z } from "zod"

export const app = contract({
  "room/:name": channel({
    events: { e: z.number() },
    state: { s: z.number() },
    calls: { fill: { input: z.number(), output: z.null() } },
    keep: { events: 5 },
  }),
  "feed/:name": channel({
    events: { e: z.number() },
    calls: { fill: { input: z.number(), output: z.null() } },
  }),
})
