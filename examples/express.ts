// A hub beside Express, on one port. Run it:  npx tsx examples/express.ts
import type { AddressInfo } from "node:net"
import express from "express"
import { channel, contract } from "holdfast"
import { createHub } from "holdfast/server"
import { z } from "zod"

export const app = contract({
  notices: channel({ events: { posted: z.object({ text: z.string() }) } }),
})

const hub = createHub(app, { channels: { notices: { subscribe: true } } })
const notices = hub.channel("notices", {})

const web = express()
// Clients without WebSockets: before anything reads the body.
web.use((request, response, next) => {
  if (!hub.handle(request, response)) next()
})
web.use(express.json())
web.get("/", (_request, response) => {
  response.send("POST /notices, and every client of the hub hears of it.")
})
web.post("/notices", async (request, response) => {
  const position = await notices.publish("posted", { text: String(request.body.text) })
  response.status(201).json(position)
})

const server = web.listen(Number(process.env.PORT ?? 8080), () => {
  console.log(`Express is at http://localhost:${(server.address() as AddressInfo).port}`)
})
hub.attach(server)
