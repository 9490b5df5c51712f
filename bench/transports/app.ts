import { channel, contract } from "holdfast"
import { z } from "zod"

export const app = contract({
  "room/:room": channel({ events: { said: z.object({ sentUs: z.number(), text: z.string() }) } }),
})
