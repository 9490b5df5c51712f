import type { AnyDefinition } from "../client/channel.ts"
import type { Channel } from "../client/index.ts"
import type { Timing } from "./timing.ts"
import { type Batch, View } from "./view.ts"

/** Of how many senders the latest signal is held; of more, those that were quiet for longest are dropped. */
const SENDERS_MAX = 1_000

/** The latest signal of each member, for `forMs` after it came. */
export function recentSignals(
  channel: Channel<AnyDefinition>,
  name: string,
  forMs: number,
  batch: Batch,
  after: Timing["after"],
): View<ReadonlyMap<string, unknown>> {
  /** By sender, in the order they came. */
  const latest = new Map<string, { readonly data: unknown; readonly cancelExpiry: () => void }>()
  const view = new View(batch, () => new Map([...latest].map(([from, { data }]) => [from, data])))
  const drop = (from: string) => {
    latest.get(from)?.cancelExpiry()
    if (latest.delete(from)) view.touch()
  }
  channel.onSignal(name, (data, { from = "" }) => {
    drop(from)
    const [oldest] = latest.keys()
    if (oldest !== undefined && latest.size === SENDERS_MAX) drop(oldest)
    latest.set(from, { data, cancelExpiry: after(forMs, () => drop(from)) })
    view.touch()
  })
  return view
}
