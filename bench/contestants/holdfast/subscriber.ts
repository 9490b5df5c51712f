import { randomUUID } from "node:crypto"
import { formatName } from "holdfast"
import { connect } from "holdfast/client"
import { msgpack } from "holdfast/msgpack"
import { WebSocket } from "ws"
import { clientFrame } from "../../load/web-socket-frames.ts"
import type { SubscriberModule, SubscriberScript } from "../contestant.ts"
import { type app, PARAMS, PATTERN } from "./app.ts"

/** How a raw subscriber writes and reads the few messages of the protocol that it takes part in. */
interface Notation {
  readonly subprotocol: string
  readonly encode: (message: object) => string | Uint8Array
  readonly decode: (payload: Buffer) => unknown
}

const inJson: Notation = {
  subprotocol: "holdfast.v1.json",
  encode: (message) => JSON.stringify(message),
  decode: (payload) => JSON.parse(payload.toString()),
}

const inMsgpack: Notation = {
  subprotocol: "holdfast.v1.msgpack",
  encode: (message) => msgpack.encode(message),
  decode: (payload) => msgpack.decode(payload),
}

const CHANNEL = formatName(PATTERN, PARAMS)

function scriptIn({ subprotocol, encode, decode }: Notation): SubscriberModule["script"] {
  const pong = clientFrame(encode({ type: "pong" }))
  return (): SubscriberScript => ({
    path: "/holdfast",
    subprotocol,
    greeting: clientFrame(
      encode({ type: "hello", session: randomUUID(), subscriptions: [{ channel: CHANNEL }] }),
    ),
    handleFrame: (payload) => {
      const message = decode(payload) as { readonly type: string }
      if (message.type === "welcome") return {}
      if (message.type === "subscribed") return { ready: true }
      if (message.type === "ping") return { reply: pong }
      throw new Error(`unexpected: ${JSON.stringify(message)}`)
    },
  })
}

function subscribeIn(options: object): SubscriberModule["subscribe"] {
  return async (port, handleMessage) => {
    const client = connect<typeof app>(`ws://127.0.0.1:${port}`, { WebSocket, ...options })
    const room = client.channel(PATTERN, PARAMS)
    room.on("said", handleMessage)
    await room.ready()
  }
}

export const withJson: SubscriberModule = { script: scriptIn(inJson), subscribe: subscribeIn({}) }
export const withMsgpack: SubscriberModule = {
  script: scriptIn(inMsgpack),
  subscribe: subscribeIn({ codec: msgpack }),
}
