import type { Schema } from "../contract/index.ts"
import type { HoldfastError } from "../protocol/error.ts"
import type { Result } from "../protocol/message.ts"
import type { Position } from "../protocol/position.ts"
import type { Channel, ChannelEvent } from "./channel.ts"
import { closed, type Driver, type RequestMessage } from "./driver.ts"
import { eventStream } from "./event-stream.ts"
import { Listeners } from "./listeners.ts"
import { ownPresence } from "./presence-view.ts"
import type { PublishOptions } from "./publish-options.ts"
import { stateView } from "./state-view.ts"
import type { Change, Subscription } from "./subscription.ts"
import type { Subscriber } from "./subscriptions.ts"

/** A channel that has everything. What the contract declares of it is held by the types alone. */
export interface AnyDefinition {
  readonly events: Readonly<Record<string, Schema>>
  readonly state: Readonly<Record<string, Schema>>
  readonly presence: Schema
  readonly signals: Readonly<Record<string, Schema>>
  readonly calls: Readonly<Record<string, { readonly input: Schema; readonly output: Schema }>>
}

export interface ChannelPorts {
  readonly driver: Pick<Driver, "request" | "repeat" | "signal" | "add" | "subscribe" | "remove">
  readonly idempotencyKey: () => string
  readonly publishTimeoutMs: number | undefined
  readonly callTimeoutMs: number
  readonly bufferedEventsMax: number
  /** Told what a listener threw, and a refusal that nobody listens for. */
  readonly handleError: (error: unknown) => void
  readonly handleClose: () => void
}

type ToldOf<T extends Change["type"]> = Extract<Change, { readonly type: T }>["told"]

/** Binds a subscription to its listeners and to the driver. */
export function openChannel(subscription: Subscription, ports: ChannelPorts): Channel<AnyDefinition> {
  const { driver } = ports
  const { channel } = subscription
  const listeners = new Listeners<[Change]>()
  const errorListeners = new Listeners<[HoldfastError]>()

  const refuseWhenClosed = () => {
    if (subscription.status === "closed") throw closed()
  }
  const subscribe = () => {
    refuseWhenClosed()
    driver.subscribe(subscriber)
  }
  /** What a refusal ended is not asked for again just because somebody else listens. */
  const read = () => {
    if (subscription.status === "idle") subscribe()
    return subscription
  }
  const listen = <T extends Change["type"]>(
    type: T,
    listener: (...told: ToldOf<T>) => void,
    name?: string,
  ): (() => void) => {
    refuseWhenClosed()
    const off = listeners.add((change) => {
      if (change.type === type && (name === undefined || ("name" in change && change.name === name))) {
        // the type says which of the unions it is; TypeScript does not relate the two
        ;(listener as (...told: readonly unknown[]) => void)(...change.told)
      }
    })
    if (type !== "status") read()
    return off
  }

  const request = async (message: object, repeat: boolean, timeoutMs?: number): Promise<Result> => {
    refuseWhenClosed()
    return driver.request({ ...message, channel } as RequestMessage, repeat, timeoutMs)
  }
  const append = async (message: object, options: PublishOptions = {}): Promise<Position> => {
    const { idempotencyKey = ports.idempotencyKey(), timeoutMs = ports.publishTimeoutMs } = options
    const { position } = await request({ ...message, idempotencyKey }, true, timeoutMs)
    return position as Position
  }

  const presence = ownPresence({
    members: () => read().members,
    send: (message) => request(message, true),
    repeat: (message) => driver.repeat({ ...message, channel }),
    listen: (listener) => listen("members", listener),
  })

  const subscriber: Subscriber = {
    subscription,
    handleUp: presence.handleUp,
    handleChange: (change) => {
      const { type, told } = change
      // what was on its way when the channel was closed
      if (subscription.status === "closed" && type !== "status") return
      listeners.tell(ports.handleError, change)
      if (type !== "status") return
      const [status, error] = told
      if (status === "closed") listeners.clear()
      if (status !== "refused" || error === undefined) return
      if (errorListeners.size === 0) ports.handleError(error)
      errorListeners.tell(ports.handleError, error)
    },
  }
  driver.add(subscriber)

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
    on: (name, listener) => listen("event", listener, name),
    events: (name) => {
      const { events, push, end } = eventStream<ChannelEvent<AnyDefinition>>(ports.bufferedEventsMax, () => {
        for (const off of offs) off()
      })
      const offs = [
        listeners.add((change) => {
          if (change.type !== "event" || (name !== undefined && name !== change.name)) return
          const [data, meta] = change.told
          push({ name: change.name, data, ...meta })
        }),
        listen("status", (status, error) => isOver(status) && end(error)),
      ]
      read()
      return events as never
    },
    onGap: (listener) => listen("gap", listener),
    onError: (listener) => errorListeners.add(listener),
    onStatus: (listener) => listen("status", listener),
    subscribe,
    ready: () =>
      new Promise((resolve, reject) => {
        const look = () => {
          const { status, error } = subscription
          if (status === "live") resolve()
          if (isOver(status)) reject(error ?? closed())
        }
        look()
        const off = listen("status", (status) => {
          look()
          if (status !== "subscribing") off()
        })
        read()
      }),
    publish: (name, data, options) => append({ type: "publish", name, data }, options),
    state: (name) =>
      stateView({
        values: () => read().values(name),
        send: (message, options) => append({ ...message, name }, options),
        listen: (listener) => listen("state", listener, name),
      }),
    presence: presence.view,
    signal: (name, data) => {
      refuseWhenClosed()
      driver.signal({ type: "signal", channel, name, data })
    },
    onSignal: (name, listener) => listen("signal", listener, name),
    call: async (name, input, { timeoutMs = ports.callTimeoutMs } = {}) => {
      const { data } = await request({ type: "call", name, data: input, timeoutMs }, false, timeoutMs)
      return data
    },
    close: () => {
      if (subscription.status === "closed") return
      presence.close()
      driver.remove(subscriber)
      ports.handleClose()
    },
  }
}

function isOver(status: Subscription["status"]): boolean {
  return status === "refused" || status === "closed"
}
