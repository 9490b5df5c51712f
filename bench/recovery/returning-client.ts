import { randomUUID } from "node:crypto"
import type { Socket } from "node:net"
import { formatName } from "holdfast"
import type { Position } from "holdfast/client"
import type { ScriptStep, SubscriberScript } from "../contestants/contestant.ts"
import { PATTERN } from "../contestants/holdfast/app.ts"
import { messageOf } from "../contestants/message.ts"
import { subscribeRaw } from "../load/raw-subscriber.ts"
import { clientFrame } from "../load/web-socket-frames.ts"

export const RETURNING = { room: "returning" }
const CHANNEL = formatName(PATTERN, RETURNING)
const PONG = clientFrame(JSON.stringify({ type: "pong" }))
const OFFSET = '"offset":'

/** The frame of each offset, as it came first: that one is read, the others have to be the same. */
const frames = new Map<number, Buffer>()

/** A client on a bare socket that comes back to its room where it left, and checks that it is given everything once. */
export class ReturningClient {
  entries = 0
  bytes = 0
  readonly #session = randomUUID()
  #position: Position | undefined
  #top: Position | undefined
  #socket: Socket | undefined
  #failure: Error | undefined
  #handleTop: () => void = () => undefined

  /** Resolves when it stands at `top`; without it, when it is connected. */
  async connect(port: number, top: Position | undefined): Promise<void> {
    this.#top = top
    const subscriptions = top === undefined ? [] : [this.#subscription()]
    const script: SubscriberScript = {
      path: "/holdfast",
      subprotocol: "holdfast.v1.json",
      countedBytesMin: Number.POSITIVE_INFINITY,
      greeting: clientFrame(JSON.stringify({ type: "hello", session: this.#session, subscriptions })),
      handleFrame: (payload) => this.#handleFrame(payload),
    }
    const handleLoss = (error: Error) => {
      if (this.#socket !== undefined) this.#failure = error
    }
    this.#socket = await subscribeRaw(port, script, () => undefined, handleLoss)
  }

  /** Resolves when it stands at `top`. */
  subscribe(top: Position): Promise<void> {
    this.#top = top
    return new Promise((resolve) => {
      this.#handleTop = resolve
      this.#socket?.write(clientFrame(JSON.stringify({ type: "subscribe", ...this.#subscription() })))
    })
  }

  /** Cuts the line. @throws Error that has happened meanwhile */
  cut(): void {
    if (this.#failure !== undefined) throw this.#failure
    const socket = this.#socket
    this.#socket = undefined
    socket?.destroy()
  }

  #subscription() {
    return { channel: CHANNEL, ...(this.#position !== undefined && { position: this.#position }) }
  }

  #handleFrame(payload: Buffer): ScriptStep {
    // What comes most is told by its start, so that this process stays cheaper than the one that is measured.
    if (payload.toString("latin1", 0, 15) === '{"type":"event"') return this.#handleEvent(payload)
    const message = JSON.parse(payload.toString()) as { readonly type: string; readonly position?: Position }
    if (message.type === "ping") return { reply: PONG }
    if (message.type === "welcome") return { ready: this.#top === undefined }
    if (message.type === "subscribed" && message.position !== undefined)
      return this.#handleSubscribed(message.position)
    throw new Error(`unexpected: ${payload}`)
  }

  #handleSubscribed(position: Position): ScriptStep {
    // Who comes back starts where it stood, or something is missing.
    if (this.#position !== undefined && !isSame(this.#position, position)) {
      throw new Error(`stood at ${JSON.stringify(this.#position)}, and is at ${JSON.stringify(position)}`)
    }
    this.#position = position
    return this.#step()
  }

  #handleEvent(payload: Buffer): ScriptStep {
    const offset = offsetIn(payload)
    const expected = (this.#position?.offset ?? 0) + 1
    if (offset !== expected) throw new Error(`expected the offset ${expected}, received ${payload}`)
    checkFrame(offset, payload)
    this.#position = { epoch: this.#position?.epoch ?? "", offset }
    this.entries++
    this.bytes += payload.byteLength
    return this.#step()
  }

  #step(): ScriptStep {
    const isThere = isSame(this.#position, this.#top)
    if (isThere) this.#handleTop()
    return { ready: isThere }
  }
}

function isSame(one: Position | undefined, other: Position | undefined): boolean {
  return one?.epoch === other?.epoch && one?.offset === other?.offset
}

function offsetIn(payload: Buffer): number {
  const start = payload.toString("latin1", 0, 80)
  return Number.parseInt(start.slice(start.indexOf(OFFSET) + OFFSET.length), 10)
}

function checkFrame(offset: number, payload: Buffer): void {
  const known = frames.get(offset)
  if (known === undefined) {
    // The room's messages are numbered from 0, its offsets from 1.
    const { data } = JSON.parse(payload.toString()) as { readonly data: unknown }
    const expected = messageOf(offset - 1)
    if (JSON.stringify(data) !== JSON.stringify(expected)) throw new Error(`unexpected contents: ${payload}`)
    frames.set(offset, Buffer.from(payload))
  } else if (!known.equals(payload)) {
    throw new Error(`expected ${known}, received ${payload}`)
  }
}
