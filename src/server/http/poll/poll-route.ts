import { HoldfastError } from "../../../protocol/error.ts"
import { readBody } from "../body.ts"
import { helloOf } from "../hello.ts"
import type { Route } from "../route.ts"
import { PollLink } from "./poll-link.ts"

/** `/poll`: one answer, held open until there is something to send. */
export const pollRoute: Route = {
  methods: ["POST"],
  read: async (request, { clock, limits }) => {
    const { value } = await readBody(request, limits.requestBytesMax)
    const hello = helloOf(request.headers, value, limits.channelsPerRequestMax)
    // A client that hears nothing for two heartbeats takes its connection for dead.
    const pollWaitMsMax = Math.min(limits.pollWaitMsMax, limits.heartbeatMs)
    const waitMs = waitOf(value.waitMs, pollWaitMsMax)
    const options = { ...limits, pollWaitMsMax, clock, waitMs }
    return { hello, link: (reply) => new PollLink(reply, hello.subscriptions, options) }
  },
}

function waitOf(asked: unknown, max: number): number {
  if (asked === undefined) return max
  if (typeof asked !== "number" || !(asked >= 0)) {
    throw new HoldfastError("invalid_message", '"waitMs" has to be a number from 0.', { path: "waitMs" })
  }
  return Math.min(asked, max)
}
