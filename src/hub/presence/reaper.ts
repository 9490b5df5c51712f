import type { Log } from "../../log/log.ts"
import { heldChannelOf, nodesRetention } from "../cluster/node-keys.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import { atOnce } from "./at-once.ts"
import { foldPages } from "./fold-pages.ts"
import type { Register } from "./register.ts"

/** How many channels are gone through at once. */
const CHANNELS_AT_ONCE_MAX = 8

const NOTHING = new Uint8Array(0)

export interface ReaperPorts {
  readonly log: Log
  readonly clock: Clock
  readonly limits: Limits
  readonly register: Register
}

/**
 * Removes the members of a dead node: in each channel that its life has listed, those that no other node has taken over by then. A channel is
 * taken off the list last, so whoever has to go on with it finds the rest.
 * @throws what the log fails with
 */
export async function reap(ports: ReaperPorts, life: string): Promise<void> {
  const { log, clock } = ports
  const list = heldChannelOf(life)
  const collections = new Set<string>()
  for await (const held of foldPages(ports, list)) {
    for (const { collection } of held) collections.add(collection)
    await atOnce(held, CHANNELS_AT_ONCE_MAX, async ({ collection, key }) => {
      await removeMembers(ports, key, life)
      const operation = { operation: "remove", collection, key, body: NOTHING, at: clock.now() } as const
      await log.append(list, operation, { retention: nodesRetention })
    })
  }
  // the removals go too, as nobody reads them
  const retentions = [...collections].map((collection) => [collection, nodesRetention] as const)
  await log.trim(list, Object.fromEntries(retentions), clock.now() + 1)
}

async function removeMembers(
  { register, limits }: ReaperPorts,
  channel: string,
  life: string,
): Promise<void> {
  for await (const entries of register.pages(channel)) {
    const left = entries.filter(({ holder }) => holder === life)
    await atOnce(left, limits.pageEntriesMax, ({ key, version }) => register.remove(channel, key, version))
  }
}
