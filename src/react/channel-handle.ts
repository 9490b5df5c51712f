import type { AnyDefinition } from "../client/channel.ts"
import type { Channel, StateView } from "../client/index.ts"
import type { ChannelDefinition, Received, Sent, States } from "../contract/index.ts"
import type { SharedChannel } from "./shared-channel.ts"
import type { OpenChannel, Source } from "./source.ts"

/** What the hooks know of a handle, and nobody else. */
export const BINDING: unique symbol = Symbol("binding")

export interface Binding<D = unknown> {
  /** Only for the types. */
  readonly definition?: D
  /** What is shared of the channel, if a component uses it. */
  readonly peek: () => SharedChannel | undefined
  /** Whether the connection has ended for good. */
  readonly isClosed: () => boolean
  /** Uses the channel until what is returned is called. `begin` returns how to undo it. */
  readonly hold: (begin: (shared: SharedChannel) => () => void) => () => void
}

/**
 * A channel in the hands of a component: what the hooks take, and the way up. It is the same object for as long as the
 * channel is the same, so effects may depend on it. What it sends is as in `Channel` of `holdfast/client`.
 */
export interface ChannelHandle<D extends ChannelDefinition>
  extends Pick<Channel<D>, "name" | "publish" | "signal" | "call"> {
  /** Asks again after a refusal. */
  readonly retry: () => void
  readonly state: <N extends keyof States<D> & string>(
    name: N,
  ) => Pick<StateView<Received<States<D>[N]>, Sent<States<D>[N]>>, "set" | "delete">
  readonly [BINDING]: Binding<D>
}

/** Makes the handle of a channel. Nothing is opened before it is used. */
export function channelHandle(source: Source, name: string, open: OpenChannel): ChannelHandle<AnyDefinition> {
  /** Keeps the channel, and with it the connection, until the answer is here. */
  const during = async <T>(ask: (channel: Channel<AnyDefinition>) => Promise<T>): Promise<T> => {
    const [{ channel }, release] = source.acquire(name, open)
    try {
      return await ask(channel)
    } finally {
      release()
    }
  }
  const isClosed = () => source.client?.status === "closed"
  return {
    name,
    publish: (...said) => during((channel) => channel.publish(...said)),
    call: (...said) => during((channel) => channel.call(...said)),
    signal: (...said) => {
      const [{ channel }, release] = source.acquire(name, open)
      release()
      channel.signal(...said)
    },
    retry: () => source.channel(name)?.channel.subscribe(),
    state: (state) => ({
      set: (...said) => during((channel) => channel.state(state).set(...said)),
      delete: (...said) => during((channel) => channel.state(state).delete(...said)),
    }),
    [BINDING]: {
      peek: () => source.channel(name),
      isClosed,
      hold: (begin) => {
        // what has ended for good has nothing to tell; `useStatus` and `useConnection` say so
        if (isClosed()) return () => {}
        const [shared, release] = source.acquire(name, open)
        const undo = begin(shared)
        return () => {
          undo()
          release()
        }
      },
    },
  }
}
