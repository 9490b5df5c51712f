import type { Bus } from "../../log/bus.ts"
import { decodeBody, encodeBody, payloadIn } from "../../protocol/body.ts"
import type { CodecName } from "../../protocol/codec.ts"
import type { Channel } from "../channel/channel.ts"
import type { Channels } from "../channel/channels.ts"
import type { Target } from "../channel/target.ts"
import type { Limits } from "../limits.ts"
import { type Eventual, whenDone } from "./eventual.ts"
import { bodyOf, outputSchema, payloadOf } from "./payload.ts"

const topicOf = (channel: string) => `signal/${channel}`

interface Signal {
  readonly name: string
  readonly body: Uint8Array
  /** The member that sent it; undefined: the server's own code. */
  readonly from: string | undefined
}

/** The client that signals. Default: the server's own code. */
export interface Sender {
  readonly member: string
  readonly codec: CodecName
}

export interface SignalsPorts {
  readonly node: string
  readonly bus: Bus | undefined
  readonly limits: Limits
  readonly channels: Channels
  /** Signals of other nodes cannot be listened to; `retry` tries again. */
  readonly handleFailure: (channel: string, error: unknown, retry: () => void) => void
}

/**
 * Hands signals to the subscriptions that can take them now, here and at other nodes. They are not logged, nobody waits for
 * them, and what cannot go out at once is dropped.
 */
export class Signals {
  readonly #ports: SignalsPorts
  /** How to stop listening to what other nodes send, by followed channel. */
  readonly #stops = new Map<Channel, () => void>()

  constructor(ports: SignalsPorts) {
    this.#ports = ports
  }

  /** @throws HoldfastError `unknown_name`, `invalid_payload`, `invalid_value`, `message_too_large` */
  send(target: Target, name: string, value: unknown, sender?: Sender): Eventual<void> {
    const schema = outputSchema(payloadOf(target, "signals", name))
    const form = { bytesMax: this.#ports.limits.messageBytesMax, codec: sender?.codec }
    const body = bodyOf(`signal "${name}" of ${target.name}`, schema, value, form)
    return whenDone(body, (body) => this.#send(target.name, { name, body, from: sender?.member }))
  }

  /** The channel is followed from now on. */
  handleOpen(channel: Channel): void {
    const { bus } = this.#ports
    if (bus === undefined || channel.match.definition.signals === undefined) return
    this.#stops.set(channel, () => {})
    void this.#listen(bus, channel)
  }

  handleClose(channel: Channel): void {
    this.#stops.get(channel)?.()
    this.#stops.delete(channel)
  }

  async #listen(bus: Bus, channel: Channel): Promise<void> {
    try {
      const stop = await bus.subscribe(topicOf(channel.name), (body) => this.#handle(channel, body))
      if (this.#stops.has(channel)) this.#stops.set(channel, stop)
      else stop()
    } catch (error) {
      if (!this.#stops.has(channel)) return
      this.#ports.handleFailure(channel.name, error, () => {
        if (this.#stops.has(channel)) void this.#listen(bus, channel)
      })
    }
  }

  #send(channelName: string, signal: Signal): void {
    const { node, bus, channels } = this.#ports
    const { name, from, body } = signal
    bus?.publish(topicOf(channelName), encodeBody([node, name, from ?? null, body], "msgpack"))
    const channel = channels.find(channelName)
    if (channel !== undefined) deliver(channel, signal)
  }

  #handle(channel: Channel, message: Uint8Array): void {
    const [node, name, from, body] = decodeBody(message) as [string, string, string | null, Uint8Array]
    // its own signals are delivered without the detour
    if (node !== this.#ports.node) deliver(channel, { name, from: from ?? undefined, body })
  }
}

function deliver(channel: Channel, { name, from, body }: Signal): void {
  const sender = from === undefined ? {} : { from }
  channel.signal(
    { type: "signal", alias: channel.alias, name, ...sender, data: payloadIn(body) },
    body.byteLength,
  )
}
