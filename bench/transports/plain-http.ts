import { Agent, type IncomingMessage, request } from "node:http"

/** What a benchmark's client makes of the messages: nothing but its position, and what is in the events. */
interface Message {
  readonly type: string
  readonly position?: unknown
  readonly offset: number
  readonly data: { readonly sentUs: number }
}

export interface Plain {
  readonly port: number
  readonly channel: string
  readonly session: string
  readonly onLive: () => void
  readonly onEvent: (sentUs: number) => void
}

/** One connection per client, as each would have. */
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })

function post(
  { port }: Plain,
  address: string,
  body: object,
  handle: (response: IncomingMessage) => void,
): void {
  const path = `/holdfast/${address}`
  const headers = { "Content-Type": "application/json" }
  const asked = request({ host: "127.0.0.1", port, path, method: "POST", agent, headers }, handle)
  // the benchmark's end
  asked.on("error", () => undefined)
  asked.end(JSON.stringify(body))
}

/** Polls for ever. With less work for this process than the SDK has, which would be the slower of the two. */
export function poll(plain: Plain, position?: { readonly epoch: string; readonly offset: number }): void {
  const { channel, session, onLive, onEvent } = plain
  post(plain, "poll", { session, subscriptions: [{ channel, position }] }, (response) => {
    let text = ""
    response.setEncoding("utf8")
    response.on("data", (chunk: string) => {
      text += chunk
    })
    response.on("error", () => undefined)
    response.on("end", () => {
      let next = position
      for (const message of JSON.parse(text).messages as Message[]) {
        if (message.type === "subscribed") next ??= message.position as NonNullable<typeof position>
        if (message.type !== "event" || next === undefined) continue
        next = { ...next, offset: message.offset }
        onEvent(message.data.sentUs)
      }
      if (position === undefined) onLive()
      poll(plain, next)
    })
  })
}

export function stream(plain: Plain): void {
  const { channel, session, onLive, onEvent } = plain
  post(plain, "events", { session, subscriptions: [{ channel }] }, (response) => {
    let rest = ""
    response.setEncoding("utf8")
    response.on("error", () => undefined)
    response.on("data", (chunk: string) => {
      const events = (rest + chunk).split("\n\n")
      rest = events.pop() ?? ""
      for (const event of events) {
        const start = event.indexOf("data: ")
        if (start === -1) continue
        const message = JSON.parse(event.slice(start + 6)) as Message
        if (message.type === "subscribed") onLive()
        if (message.type === "event") onEvent(message.data.sentUs)
      }
    })
  })
}
