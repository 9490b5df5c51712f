import type { Position } from "../protocol/position.ts"
import type { PublishOptions } from "./publish-options.ts"
import type { StateChange } from "./subscription.ts"

/** The keys of one state and their latest values. Reading subscribes to the channel; writing does not. */
export interface StateView<Value, Sent> {
  readonly size: number
  readonly get: (key: string) => Value | undefined
  readonly entries: () => IterableIterator<[string, Value]>
  /**
   * Sets the value of a key. It shows here when it comes back from the server.
   * @throws HoldfastError as `publish` does
   */
  readonly set: (key: string, value: Sent, options?: PublishOptions) => Promise<Position>
  /** @throws HoldfastError as `publish` does */
  readonly delete: (key: string, options?: PublishOptions) => Promise<Position>
  /** Tells each change. When a snapshot has come, all of it is in place before the first is told. */
  readonly onChange: (listener: (change: StateChange<Value>) => void) => () => void
}

export interface StatePorts {
  /** The values as they are now. Subscribes. */
  readonly values: () => ReadonlyMap<string, unknown>
  readonly send: (
    message:
      | { readonly type: "set"; readonly key: string; readonly data: unknown }
      | { readonly type: "delete"; readonly key: string },
    options: PublishOptions | undefined,
  ) => Promise<Position>
  readonly listen: (listener: (change: StateChange<unknown>) => void) => () => void
}

export function stateView({ values, send, listen }: StatePorts): StateView<unknown, unknown> {
  return {
    get size() {
      return values().size
    },
    get: (key) => values().get(key),
    entries: () => values().entries(),
    set: (key, data, options) => send({ type: "set", key, data }, options),
    delete: (key, options) => send({ type: "delete", key }, options),
    onChange: listen,
  }
}
