import type { Limits } from "../limits.ts"
import { atOnce, CHANNELS_AT_ONCE_MAX } from "./at-once.ts"
import type { HeldList } from "./held-list.ts"
import type { Register } from "./register.ts"

/**
 * Removes the members that a dead life of a node held, unless another one has taken them over by then. A channel is taken off the list last, so
 * the next node goes on where this one ends.
 * @throws what the log fails with
 */
export async function reap(register: Register, list: HeldList, limits: Limits, life: string): Promise<void> {
  await atOnce(await list.all(life), CHANNELS_AT_ONCE_MAX, async (channel) => {
    const members = await register.heldBy(channel, (holder) => holder === life)
    await atOnce(members, limits.pageEntriesMax, ({ key, version }) => register.remove(channel, key, version))
    await list.remove(life, channel)
  })
  await list.forget(life)
}
