// A chat server. Run it:  npx tsx examples/chat/server.ts
import { createHub, HoldfastError } from "holdfast/server"
import { app } from "./contract.ts"

const hub = createHub(app, {
  // The token is the name here; yours will be a session or a JWT.
  authenticate: ({ token }) => {
    if (!token) throw new HoldfastError("unauthorized", "Say who you are.")
    return { name: token }
  },
  channels: {
    "room/:room": {
      subscribe: true,
      // Clients send the text; who said it is for the server to say.
      events: { said: ({ user, data }) => ({ text: data.text, by: user.name }) },
      presence: ({ user }) => ({ name: user.name }),
    },
  },
})

const { url } = await hub.listen({ port: Number(process.env.PORT ?? 8080) })
console.log(`The chat is at ${url}`)

process.once("SIGTERM", () => hub.close())
process.once("SIGINT", () => hub.close())
