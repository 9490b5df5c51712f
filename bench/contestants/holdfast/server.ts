import { createHub } from "holdfast/server"
import type { ContestantServer } from "../contestant.ts"
import { app, PARAMS, PATTERN } from "./app.ts"

/** The whole stack as its defaults make it: what is published is validated, kept in the log, and fanned out from there. */
export async function start(): Promise<ContestantServer> {
  const hub = createHub(app, { channels: { [PATTERN]: { subscribe: true } } })
  const { port } = await hub.listen({ host: "127.0.0.1", port: 0 })
  const room = hub.channel(PATTERN, PARAMS)
  return { port, publish: (message) => room.publish("said", message) }
}
