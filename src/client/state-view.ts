import type { DeleteState, SetState } from "../protocol/message.ts"
import type { Position } from "../protocol/position.ts"
import type { Feed } from "./feed.ts"
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

/** The state of one name, as `feed` has it. `append` sends what is to change. */
export function stateView(
  name: string,
  feed: Pick<Feed, "read" | "listen">,
  append: (
    message: Omit<SetState, Given> | Omit<DeleteState, Given>,
    options?: PublishOptions,
  ) => Promise<Position>,
): StateView<unknown, unknown> {
  const values = () => feed.read().values(name)
  return {
    get size() {
      return values().size
    },
    get: (key) => values().get(key),
    entries: () => values().entries(),
    set: (key, data, options) => append({ type: "set", name, key, data }, options),
    delete: (key, options) => append({ type: "delete", name, key }, options),
    onChange: (listener) => feed.listen("state", listener, name),
  }
}

/** What every message is given by whoever sends it. */
type Given = "id" | "channel" | "idempotencyKey"
