// A hub beside Hono on Node, on one port. Run it:  npx tsx examples/hono.ts
import { type HttpBindings, serve } from "@hono/node-server"
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response"
import { channel, contract } from "holdfast"
import { createHub } from "holdfast/server"
import { Hono } from "hono"
import { z } from "zod"

export const app = contract({
  notices: channel({ events: { posted: z.object({ text: z.string() }) } }),
})

const hub = createHub(app, { channels: { notices: { subscribe: true } } })
const notices = hub.channel("notices", {})

const web = new Hono<{ Bindings: HttpBindings }>()
// Clients without WebSockets: before anything reads the body.
web.use(async (context, next) =>
  hub.handle(context.env.incoming, context.env.outgoing) ? RESPONSE_ALREADY_SENT : next(),
)
web.get("/", (context) => context.text("POST /notices, and every client of the hub hears of it."))
web.post("/notices", async (context) => {
  const { text } = await context.req.json<{ text: string }>()
  return context.json(await notices.publish("posted", { text }), 201)
})

const server = serve({ fetch: web.fetch, port: Number(process.env.PORT ?? 8080) }, ({ port }) => {
  console.log(`Hono is at http://localhost:${port}`)
})
hub.attach(server)
