import type { Departure } from "../hub/connection/departure.ts"
import type { Clock } from "../hub/ports/clock.ts"
import { closeCodes } from "../protocol/close.ts"
import { HoldfastError } from "../protocol/error.ts"
import type { Links } from "./links.ts"

/** How a node goes without anybody noticing. */
export interface DrainOptions {
  /** Clients are told to come back at times that are spread over this, in ms. Default: 5,000. */
  readonly spreadMs?: number | undefined
  /**
   * How long the node says that it is not ready, in ms, and still takes connections, before it begins: as long as the
   * balancer takes to look. Default: 0.
   */
  readonly noticeMs?: number | undefined
  /** How long all of it may take, in ms. Shortly before, lines that are left are cut. Default: 25,000. */
  readonly deadlineMs?: number | undefined
  /**
   * Closes at once when no other node takes the clients: one node, a log that no other shares, or others that drain too. They are served
   * again the sooner. Default: false for `drain`, true for `drainOnSignals`.
   */
  readonly closeWhenAlone?: boolean | undefined
  /** A sentence for people, sent with `goaway`. */
  readonly reason?: string | undefined
}

type ChosenDrain = { readonly [Name in keyof DrainOptions]-?: Exclude<DrainOptions[Name], undefined> }
/** How often a node that drains looks whether the others take clients, in ms: they may drain too. */
const LOOK_MS = 1_000

export const drainDefaults = {
  spreadMs: 5_000,
  noticeMs: 0,
  deadlineMs: 25_000,
  reason: "the server is being replaced",
} as const satisfies Omit<ChosenDrain, "closeWhenAlone">

export interface DrainPorts {
  readonly clock: Clock
  readonly random: () => number
  readonly links: Links
  readonly closeTimeoutMs: number
  readonly disconnectAll: (departure: Departure) => void
  /** Whether there is another node that takes the clients. */
  readonly hasElsewhere: () => Promise<boolean>
  readonly handOverMembers: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Leads the clients to other nodes, one after the other, and closes when the last one is gone. */
export class Drain {
  readonly #ports: DrainPorts
  #running: Promise<void> | undefined

  constructor(ports: DrainPorts) {
    this.#ports = ports
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** @throws HoldfastError `timeout` when it takes longer than the deadline; what closing the log fails with */
  run(options: DrainOptions): Promise<void> {
    const { spreadMs, noticeMs, deadlineMs, reason } = drainDefaults
    this.#running ??= this.#within({
      spreadMs: options.spreadMs ?? spreadMs,
      noticeMs: options.noticeMs ?? noticeMs,
      deadlineMs: options.deadlineMs ?? deadlineMs,
      closeWhenAlone: options.closeWhenAlone ?? false,
      reason: options.reason ?? reason,
    })
    return this.#running
  }

  async #within(options: ChosenDrain): Promise<void> {
    const { deadlineMs } = options
    const { clock, closeTimeoutMs, links } = this.#ports
    // what is left for the log and the servers when the lines had to be cut
    const cancelCut = clock.after(Math.max(deadlineMs / 2, deadlineMs - closeTimeoutMs), () =>
      links.destroy(),
    )
    let cancelDeadline = () => {}
    const deadline = new Promise<never>((_, reject) => {
      const text = `The drain was not over after ${deadlineMs} ms.`
      cancelDeadline = clock.after(deadlineMs, () => reject(new HoldfastError("timeout", text)))
    })
    try {
      await Promise.race([this.#leadAway(options), deadline])
    } finally {
      cancelCut()
      cancelDeadline()
    }
  }

  async #leadAway({ spreadMs, noticeMs, closeWhenAlone, reason }: ChosenDrain): Promise<void> {
    const { clock, random, links, disconnectAll, hasElsewhere, handOverMembers, close } = this.#ports
    if (noticeMs > 0) await new Promise<void>((resolve) => clock.after(noticeMs, resolve))
    links.refuseMore()
    if (closeWhenAlone && !(await hasElsewhere())) return close()
    disconnectAll({ reason, reconnect: true, spreadMs })
    // these have no word for it but the close code
    for (const link of links.raw()) {
      clock.after(random() * spreadMs, () => link.close(closeCodes.goingAway.code, reason))
    }
    if (await this.#areGone(closeWhenAlone)) await handOverMembers()
    await close()
  }

  /** Whether all links have gone elsewhere; false as soon as there is no such place any more. */
  async #areGone(closeWhenAlone: boolean): Promise<boolean> {
    const { clock, links, hasElsewhere } = this.#ports
    const gone = links.gone().then(() => true)
    if (!closeWhenAlone) return gone
    for (;;) {
      let cancel = () => {}
      const look = new Promise<false>((resolve) => {
        cancel = clock.after(LOOK_MS, () => resolve(false))
      })
      const areGone = await Promise.race([gone, look])
      cancel()
      if (areGone) return true
      if (!(await hasElsewhere())) return false
    }
  }
}
