import type { Schema } from "../../contract/index.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { encodeBody } from "../../protocol/msgpack.ts"
import type { Position } from "../../protocol/position.ts"
import { conform } from "../payload.ts"
import type { Channel } from "./channel.ts"
import type { Loaded } from "./subscription.ts"

interface Loading extends Position {
  readonly value: Promise<Loaded>
}

/**
 * Runs the loaders of channels that have one. Who asks while a load is under way shares it, if that load began no earlier
 * in the same life of the log than where their own cursor stands: otherwise what lies between would be in neither.
 */
export class Loader {
  readonly #run: (channel: Channel) => unknown
  readonly #bytesMax: number
  readonly #loading = new WeakMap<Channel, Loading>()

  /** @param run calls the channel's loader */
  constructor(run: (channel: Channel) => unknown, bytesMax: number) {
    this.#run = run
    this.#bytesMax = bytesMax
  }

  /** @throws whatever the loader throws, and HoldfastError when its value does not fit the contract */
  load(channel: Channel, schema: Schema, { epoch, offset: cursor }: Position): Promise<Loaded> {
    const underWay = this.#loading.get(channel)
    if (underWay?.epoch === epoch && underWay.offset >= cursor) return underWay.value
    // a cursor that is ahead of this node, or in a life of the log that it has not heard of, proves that the log is there
    const offset = epoch === channel.epoch ? Math.max(cursor, channel.tail) : cursor
    const loading = { epoch, offset, value: this.#start(channel, schema, offset) }
    this.#loading.set(channel, loading)
    const done = () => {
      if (this.#loading.get(channel) === loading) this.#loading.delete(channel)
    }
    loading.value.then(done, done)
    return loading.value
  }

  async #start(channel: Channel, schema: Schema, offset: number): Promise<Loaded> {
    const what = `snapshot of ${channel.name}`
    const data = await conform(what, schema, await this.#run(channel))
    // finds what can't travel here, where the loader can be blamed, and not where it is sent
    const { byteLength } = encodeBody(data)
    const limit = this.#bytesMax
    if (byteLength > limit) {
      throw new HoldfastError("message_too_large", `${what}: ${byteLength} bytes, the limit is ${limit}`, {
        limit,
      })
    }
    return { offset, data }
  }
}
