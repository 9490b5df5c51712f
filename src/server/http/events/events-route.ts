import { HoldfastError } from "../../../protocol/error.ts"
import { queryOf } from "../address.ts"
import { readBody } from "../body.ts"
import type { HttpRequest } from "../exchange.ts"
import { type HelloFields, helloOf } from "../hello.ts"
import type { Route } from "../route.ts"
import { EventsLink } from "./events-link.ts"
import { subscriptionsOf } from "./events-query.ts"

const SESSION_IN_URL = "A session is a secret, and a URL gets into logs: use POST to say which session it is."

/** `/events`: server-sent events. */
export const eventsRoute: Route = {
  methods: ["GET", "POST"],
  read: async (request, { clock, entropy, limits }) => {
    const isGet = request.method === "GET"
    const fields = isGet ? fieldsOf(request) : (await readBody(request, limits.requestBytesMax)).value
    // A client that only reads needs no name.
    const session = fields.session ?? entropy.uniqueId()
    const hello = helloOf(request.headers, { ...fields, session }, limits.channelsPerRequestMax)
    // A client that speaks the protocol gets refusals as messages, as on a WebSocket.
    const channels = isGet ? hello.subscriptions.length : 0
    return { hello, link: (reply) => new EventsLink(reply, channels, clock) }
  },
}

/** What a GET asks for by its query. */
function fieldsOf({ url, headers }: HttpRequest): HelloFields {
  const query = queryOf(url)
  const subscriptions = subscriptionsOf(query, headers.get("last-event-id"))
  if (query.has("session")) throw new HoldfastError("invalid_request", SESSION_IN_URL, { path: "session" })
  return { token: query.get("token"), subscriptions }
}
