// A hub beside Fastify, on one port. Run it:  npx tsx examples/fastify.ts
import Fastify from "fastify"
import { channel, contract } from "holdfast"
import { createHub } from "holdfast/server"
import { z } from "zod"

export const app = contract({
  notices: channel({ events: { posted: z.object({ text: z.string() }) } }),
})

const hub = createHub(app, { channels: { notices: { subscribe: true } } })
const notices = hub.channel("notices", {})

const web = Fastify()
// Clients without WebSockets: before anything reads the body.
web.addHook("onRequest", async (request, reply) => {
  if (hub.handle(request.raw, reply.raw)) reply.hijack()
})
web.get("/", () => "POST /notices, and every client of the hub hears of it.")
web.post<{ Body: { text: string } }>("/notices", async (request, reply) => {
  reply.code(201)
  return notices.publish("posted", { text: request.body.text })
})
// Fastify waits for the hub's connections when it closes; so they are sent away before.
web.addHook("preClose", () => hub.close())

hub.attach(web.server)
console.log(`Fastify is at ${await web.listen({ port: Number(process.env.PORT ?? 8080) })}`)
