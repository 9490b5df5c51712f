import type { Position } from "../../protocol/position.ts"
import type { Channel } from "./channel.ts"
import type { Loaded } from "./subscription.ts"

interface Loading extends Position {
  readonly value: Promise<Loaded>
}

/**
 * Runs the loaders of channels that have one. Subscriptions share a load that is under way if it began, in the same life of the log, no
 * earlier than where their states and members end: otherwise what lies between would be in neither.
 */
export class Loader {
  readonly #run: (channel: Channel) => unknown
  readonly #loading = new WeakMap<Channel, Loading>()

  /** @param run loads the channel's value, as it is sent */
  constructor(run: (channel: Channel) => unknown) {
    this.#run = run
  }

  /** @throws what loading fails with */
  load(channel: Channel, { epoch, offset: cursor }: Position): Promise<Loaded> {
    const underWay = this.#loading.get(channel)
    if (underWay?.epoch === epoch && underWay.offset >= cursor) return underWay.value
    // a cursor that is ahead of this node, or in a life of the log that it has not heard of, proves that the log is there
    const offset = epoch === channel.epoch ? Math.max(cursor, channel.tail) : cursor
    const loading = { epoch, offset, value: this.#start(channel, offset) }
    this.#loading.set(channel, loading)
    const done = () => {
      if (this.#loading.get(channel) === loading) this.#loading.delete(channel)
    }
    loading.value.then(done, done)
    return loading.value
  }

  async #start(channel: Channel, offset: number): Promise<Loaded> {
    return { offset, data: await this.#run(channel) }
  }
}
