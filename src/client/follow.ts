import { Listeners } from "./listeners.ts"
import type { Change } from "./subscription.ts"

/** A current value of a channel that is always the fold of its entries. */
export interface Follower<Value> {
  /** Undefined until the server has loaded the first one, if it is the server's. */
  readonly value: Value
  /** Told the value after each entry, and when the server has loaded another. Returns how to take the listener off. */
  readonly onChange: (listener: (value: Value) => void) => () => void
  /** Stops to follow. The value stays as it is. */
  readonly close: () => void
}

export interface FollowOptions<Value> {
  /** What to begin with. Without it, the server loads it. */
  readonly initial?: Value
  /** Makes of what the server has loaded what to begin with. */
  readonly load?: (loaded: unknown) => Value
  /** The value behind `entry`. Must not wait for anything. If it throws, the value stays, and the client tells the error. */
  readonly reduce: (value: Value, entry: never) => Value
}

export interface FollowPorts {
  /** Gives every change, before anybody else is told of it. */
  readonly listen: (listener: (change: Change) => void) => () => void
  readonly handleError: (error: unknown) => void
}

export function follow<Value>(
  options: FollowOptions<Value>,
  { listen, handleError }: FollowPorts,
): Follower<Value> {
  const { reduce, load = (loaded) => loaded as Value } = options
  const listeners = new Listeners<{ readonly value: [Value] }>()
  let value = options.initial as Value
  let began = "initial" in options
  const close = listen((change) => {
    const { type } = change
    if (type === "loaded") {
      value = load(change.told[0])
      began = true
    } else if (began && !change.isLoaded && (type === "event" || type === "state")) {
      value = reduce(value, entryOf(change) as never)
    } else {
      return
    }
    listeners.tell(handleError, "value", [value])
  })
  return {
    get value() {
      return value
    },
    onChange: (listener) => listeners.add("value", listener),
    close,
  }
}

/** An event or a change of a state as one flat object. */
function entryOf({ type, name, told }: Extract<Change, { readonly type: "event" | "state" }>): object {
  return { type, name, ...(type === "event" ? { data: told[0], ...told[1] } : told[0]) }
}
