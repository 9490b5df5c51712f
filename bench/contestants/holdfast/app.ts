import { channel, contract } from "holdfast"
import { z } from "zod"

/** What the benchmarks' Holdfast server and its subscribers agree on. */
export const app = contract({
  "room/:room": channel({
    events: { said: z.object({ id: z.number().int(), text: z.string().max(2000) }) },
  }),
})

export const PATTERN = "room/:room"
export const PARAMS = { room: "lobby" }
