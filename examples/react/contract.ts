import { channel, contract } from "holdfast"
import { z } from "zod"

/** What the server and its clients agree on. */
export const app = contract({
  "room/:room": channel({
    events: {
      said: {
        input: z.object({ text: z.string().min(1).max(2000) }),
        output: z.object({ text: z.string(), by: z.string() }),
      },
    },
    presence: { input: z.object({}), output: z.object({ name: z.string() }) },
    signals: { typing: z.object({}) },
    keep: { events: 1000 },
  }),
})
