import { channel, contract } from "holdfast"
import { z } from "zod"

/** What nodes and clients agree on. It keeps everything, so that all of it can be accounted for. */
export const app = contract({
  "room/:room": channel({
    events: { said: z.object({ id: z.string() }) },
    state: { score: z.object({ points: z.number() }) },
    presence: z.object({ name: z.string() }),
    keep: { events: 10_000_000, bytes: 10_000_000_000 },
  }),
})

export const PATTERN = "room/:room"

/** The collections of a room's log, as gaps name them. */
export const EVENTS = "events"
export const SCORES = "state/score"

/** The room that all are in. Nobody is present there: with each cut of all lines, everybody would be told of everybody. */
export const LOBBY = "lobby"

export type App = typeof app
export type RoomDefinition = App["channels"][typeof PATTERN]
