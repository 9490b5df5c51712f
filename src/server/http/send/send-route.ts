import { readBody } from "../body.ts"
import { helloOf } from "../hello.ts"
import type { Route } from "../route.ts"
import { SendLink } from "./send-link.ts"
import { messagesOf } from "./send-messages.ts"

/** `/send`: messages to the hub, answered when all of them are handled. */
export const sendRoute: Route = {
  methods: ["POST"],
  read: async (request, { clock, limits }) => {
    const { value, bytes } = await readBody(request, limits.requestBytesMax)
    const fields = { ...value, subscriptions: [] }
    const hello = helloOf(request.headers, fields, limits.channelsPerRequestMax)
    const messages = messagesOf(value.messages, limits.messagesPerRequestMax)
    return { hello, link: (reply) => new SendLink(reply, messages, { ...limits, bytes, clock }) }
  },
}
