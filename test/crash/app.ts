import { channel, contract } from "holdfast"
import { z } from "zod"

/** What the server that is killed and its clients agree on. It keeps everything, so that all of it can be accounted for. */
export const app = contract({
  "room/:room": channel({
    events: { said: z.object({ id: z.string(), text: z.string() }) },
    presence: z.object({ name: z.string() }),
    keep: { events: 1_000_000, bytes: 1_000_000_000 },
  }),
})

export const PATTERN = "room/:room"
export const PARAMS = { room: "lobby" }
