import type { Log } from "../../log/log.ts"
import { entries } from "../channel/entries.ts"
import { heldChannelOf, nodesRetention } from "../cluster/node-keys.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"

/** A log limits the keys of a collection, so the list has several. */
const COLLECTIONS = Array.from({ length: 16 }, (_, index) => `held/${index}`)

export interface HeldListPorts {
  readonly log: Log
  readonly clock: Clock
  readonly limits: Limits
  readonly digest: (text: string) => string
}

/** By life of a node, the channels that it holds members in, and perhaps some more: another node that finds it dead reads them. */
export class HeldList {
  readonly #ports: HeldListPorts

  constructor(ports: HeldListPorts) {
    this.#ports = ports
  }

  add(life: string, channel: string): Promise<unknown> {
    return this.#change("put", life, channel)
  }

  remove(life: string, channel: string): Promise<unknown> {
    return this.#change("remove", life, channel)
  }

  async all(life: string): Promise<string[]> {
    const listed = await entries(this.#ports, heldChannelOf(life), { after: 0, select: "fold" }, () => true)
    return listed.map(({ key }) => key)
  }

  /** Nothing is listed any more, so the log need not remember what was. */
  async forget(life: string): Promise<void> {
    const { log, clock } = this.#ports
    const retentions = COLLECTIONS.map((collection) => [collection, nodesRetention] as const)
    await log.trim(heldChannelOf(life), Object.fromEntries(retentions), clock.now() + 1)
  }

  #change(operation: "put" | "remove", life: string, key: string): Promise<unknown> {
    const { log, clock, digest } = this.#ports
    const collection = COLLECTIONS[digest(key).charCodeAt(0) % COLLECTIONS.length] as string
    const change = {
      operation,
      collection,
      key,
      body: new Uint8Array(0),
      at: clock.now(),
      quiet: true,
    } as const
    return log.append(heldChannelOf(life), change, { retention: nodesRetention })
  }
}
