import type { History, Result } from "../protocol/message.ts"
import type { Position } from "../protocol/position.ts"
import type { AnyDefinition, Channel } from "./channel.ts"
import type { Driver, RequestMessage } from "./driver.ts"
import { Feed } from "./feed.ts"
import type { Request } from "./outbox.ts"
import { type OwnPresence, ownPresence } from "./presence-view.ts"
import type { PublishOptions } from "./publish-options.ts"
import { stateView } from "./state-view.ts"

export interface ChannelPorts {
  readonly driver: Pick<
    Driver,
    "request" | "retry" | "signal" | "add" | "wake" | "later" | "remove" | "serverNowMs"
  >
  readonly idempotencyKey: () => string
  readonly publishTimeoutMs: number | undefined
  readonly callTimeoutMs: number
  readonly bufferedEventsMax: number
  /** Told what a listener threw, and a refusal that nobody listens for. */
  readonly handleError: (error: unknown) => void
  readonly handleClose: () => void
  /** Presences of channels that were closed, and have not left yet, by channel. */
  readonly leaving: Map<string, OwnPresence>
}

/** Puts together what a user holds of a channel: the way down through its feed, the way up through the driver. */
export function openChannel(
  channel: string,
  history: History | undefined,
  ports: ChannelPorts,
): Channel<AnyDefinition> {
  const { driver, leaving } = ports

  const send = (make: () => object, repeat: Request["repeat"], timeoutMs?: number, limit?: number) =>
    driver.request(() => ({ ...make(), channel }) as RequestMessage, repeat, timeoutMs, limit)
  const request = async (
    make: () => object,
    repeat: Request["repeat"],
    timeoutMs?: number,
  ): Promise<Result> => {
    feed.refuseWhenClosed()
    return send(make, repeat, timeoutMs)
  }
  const append = async (message: object, options: PublishOptions = {}): Promise<Position> => {
    const { idempotencyKey = ports.idempotencyKey(), timeoutMs = ports.publishTimeoutMs } = options
    const { position } = await request(() => ({ ...message, idempotencyKey }), "keyed", timeoutMs)
    return position as Position
  }
  const feed = new Feed(channel, history, ports)
  const { subscription } = feed
  const presence = ownPresence(
    feed,
    {
      // it leaves when it is closed
      send: (make, limit) => send(make, "anew", undefined, limit),
      nowMs: driver.serverNowMs,
      later: (ask) => driver.retry(ask),
      handleError: (error) => {
        subscription.fail(error)
        // otherwise it is told with whatever happens next
        driver.wake()
      },
    },
    leaving.get(channel),
  )
  leaving.delete(channel)

  return {
    name: channel,
    get status() {
      return subscription.status
    },
    get position() {
      return subscription.position
    },
    get stats() {
      return { ...subscription.stats }
    },
    on: (name, listener) => feed.listen("event", listener, name),
    events: (name) => feed.events(name) as never,
    follow: (options) => feed.follow(options),
    onGap: (listener) => feed.listen("gap", listener),
    onError: (listener) => feed.listen("error", listener),
    onStatus: (listener) => feed.listen("status", listener),
    subscribe: () => feed.subscribe(),
    ready: () => feed.ready(),
    publish: (name, data, options) => append({ type: "publish", name, data }, options),
    state: (name) => stateView(name, feed, append),
    presence: presence.view,
    signal: (name, data) => {
      feed.refuseWhenClosed()
      driver.signal({ type: "signal", channel, name, data })
    },
    onSignal: (name, listener) => feed.listen("signal", listener, name),
    call: async (name, input, { timeoutMs = ports.callTimeoutMs } = {}) => {
      const { data } = await request(
        () => ({ type: "call", name, data: input, timeoutMs }),
        "never",
        timeoutMs,
      )
      return data
    },
    close: () => {
      if (subscription.status === "closed") return
      leaving.set(channel, presence)
      presence.close().then(() => {
        if (leaving.get(channel) === presence) leaving.delete(channel)
      })
      driver.remove(subscription)
      ports.handleClose()
    },
  }
}
