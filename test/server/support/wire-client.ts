import { once } from "node:events"
import type { Socket } from "node:net"
import { type ClientOptions, WebSocket } from "ws"
import { json } from "../../../src/protocol/json.ts"
import { type ClientMessage, type ServerMessage, subprotocols } from "../../../src/protocol/message.ts"
import { msgpack } from "../../../src/protocol/msgpack.ts"

type Kind = ServerMessage["type"]
type OfKind<K extends Kind> = Extract<ServerMessage, { readonly type: K }>

export interface WireClientOptions extends ClientOptions {
  readonly codec?: "json" | "msgpack"
}

/** A client that speaks the protocol message by message, and remembers what it was sent. */
export class WireClient {
  readonly webSocket: WebSocket
  /** Everything that came and was not asked for yet. */
  readonly received: ServerMessage[] = []
  /** How the WebSocket was closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  readonly #codec: "json" | "msgpack"
  #wake: (() => void) | undefined

  private constructor(webSocket: WebSocket, codec: "json" | "msgpack") {
    this.webSocket = webSocket
    this.#codec = codec
    webSocket.on("message", (data: Buffer, binary) => {
      if (binary !== (codec === "msgpack")) throw new Error("the server sent the wrong kind of frame")
      this.received.push((binary ? msgpack.decode(data) : json.decode(data.toString())) as ServerMessage)
      this.#wake?.()
    })
    webSocket.on("error", () => this.#wake?.())
    this.closed = new Promise((resolve) => {
      webSocket.on("close", (code, reason) => {
        resolve({ code, reason: reason.toString() })
        this.#wake?.()
      })
    })
  }

  static async open(url: string, options: WireClientOptions = {}): Promise<WireClient> {
    const { codec = "json", ...rest } = options
    const webSocket = new WebSocket(url, subprotocols[codec], { perMessageDeflate: false, ...rest })
    const client = new WireClient(webSocket, codec)
    await once(webSocket, "open")
    return client
  }

  /** Opens, says hello and waits for the welcome. */
  static async greet(url: string, options: WireClientOptions & Partial<Hello> = {}): Promise<WireClient> {
    const { token, session, subscriptions, presence, ...rest } = options
    const client = await WireClient.open(url, rest)
    client.hello({
      ...(token === undefined ? {} : { token }),
      ...(session === undefined ? {} : { session }),
      ...(subscriptions === undefined ? {} : { subscriptions }),
      ...(presence === undefined ? {} : { presence }),
    })
    await client.next("welcome")
    return client
  }

  hello(fields: Partial<Hello> = {}): void {
    this.send({ type: "hello", session: crypto.randomUUID(), subscriptions: [], ...fields })
  }

  send(message: ClientMessage): void {
    this.webSocket.send(this.#codec === "json" ? json.encode(message) : msgpack.encode(message))
  }

  /** The next message of this type; those of other types that came before it are passed over. */
  async next<K extends Kind>(type: K): Promise<OfKind<K>> {
    for (;;) {
      const index = this.received.findIndex((message) => message.type === type)
      if (index !== -1) {
        const found = this.received[index] as OfKind<K>
        this.received.splice(0, index + 1)
        return found
      }
      if (this.webSocket.readyState >= WebSocket.CLOSING) {
        const { code, reason } = await this.closed
        throw new Error(`closed with ${code} "${reason}" while waiting for ${type}`)
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Subscribes and waits until it is live. */
  async subscribe(channel: string): Promise<OfKind<"subscribed">> {
    this.send({ type: "subscribe", channel })
    return this.next("subscribed")
  }

  get socket(): Socket {
    return (this.webSocket as unknown as { readonly _socket: Socket })._socket
  }

  async close(): Promise<void> {
    this.webSocket.close()
    await this.closed
  }
}

type Hello = OfKindClient<"hello">
type OfKindClient<K extends ClientMessage["type"]> = Extract<ClientMessage, { readonly type: K }>
