import type { Batch, Log } from "../../log/log.ts"
import type { Condition, Outcome } from "../../log/operation.ts"
import { entries } from "../channel/entries.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Logger } from "../ports/logger.ts"
import { Timers } from "../ports/timers.ts"
import { bodyOf, lifeOf, NODES, NODES_CHANNEL, nodeOf, nodesRetention, stateOf } from "./node-keys.ts"
import { Ring } from "./ring.ts"

const NOTHING = new Uint8Array(0)

/** However long the heartbeat's limit is, some of them have to be missed before a lease is over. */
const HEARTBEATS_PER_LEASE_MIN = 4
/** How often within a heartbeat the successor's lease is looked at. */
const LOOKS_PER_HEARTBEAT = 2

export interface NodesPorts {
  /** This node's name. */
  readonly node: string
  readonly log: Log
  readonly clock: Clock
  readonly limits: Limits
  readonly logger: Logger
  /** The log has begun anew. */
  readonly handleNewEpoch: () => void
  /** This node has begun another life. */
  readonly handleNewLife: () => void
  /** Removes whatever a dead life held. May be called again, and by several nodes. */
  readonly reap: (life: string) => Promise<void>
}

/**
 * The nodes that share a log. Each life of a node is a key with a lease:
 *
 *          put                 close
 *   none ───────> alive ─────────────────> left
 *     ^             └───────────┬───────────┘
 *     │ nothing of it is left   │ its lease is over
 *     └──────────────────────  dead
 *
 * Renewing a lease makes no entry. The log judges by its own clock whether a lease is over, when another node puts `dead` in the key's
 * place. Each node tries that with its successor in the ring, but only after it has itself renewed without interruption for a whole lease:
 * so after an outage of the log all have the time to renew. The next node before a dead one removes what it held, and then its key: if it
 * dies meanwhile, another one is the next. A node that does not find its key as it put it begins another life.
 */
export class Nodes {
  readonly #ports: NodesPorts
  readonly #timers: Timers
  readonly #heartbeatMs: number
  readonly #ring = new Ring()
  readonly #whenKnown = withResolver()
  #lives = 1
  /** Of this life's key; undefined until the log has it. */
  #offset: number | undefined
  #beating: Promise<void> | undefined
  /** Since when it has renewed without interruption, and when it did so last, by the monotonic clock. */
  #steadySinceMs = Number.NEGATIVE_INFINITY
  #renewedAtMs = Number.NEGATIVE_INFINITY
  #ticks = 0
  #isInspecting = false
  readonly #reaping = new Set<string>()
  #epoch: string | undefined
  #received = 0
  #reading = false
  #readAgain = false
  #unwatch = () => {}
  #closed = false

  constructor(ports: NodesPorts) {
    this.#ports = ports
    this.#timers = new Timers(ports.clock)
    const { nodeHeartbeatMs, presenceLeaseMs } = ports.limits
    this.#heartbeatMs = Math.min(nodeHeartbeatMs, presenceLeaseMs / HEARTBEATS_PER_LEASE_MIN)
  }

  /** Resolves when it was read for the first time which nodes there are. */
  get known(): Promise<void> {
    return this.#whenKnown.promise
  }

  /** The name of this life. */
  get life(): string {
    return lifeOf(this.#ports.node, this.#lives)
  }

  /** The nodes that are alive, without this one. */
  others(): string[] {
    const names = new Set(this.#ring.in("alive").map(nodeOf))
    names.delete(this.#ports.node)
    return [...names]
  }

  /** Resolves when the log has this life's key. @throws what the log fails with */
  async joined(): Promise<void> {
    if (this.#offset === undefined) await this.#beat()
  }

  start(): void {
    void this.#open()
    this.#tick()
  }

  /** Resolves when the others know. `isHolding`: members are left, for a lease. */
  async close(isHolding: boolean): Promise<void> {
    this.#closed = true
    this.#timers.close()
    this.#unwatch()
    await this.#beating?.catch(() => undefined)
    if (this.#offset === undefined) return
    try {
      if (isHolding) await this.#put(this.life, "left", { latest: this.#offset })
      else await this.#remove(this.life)
    } catch (error) {
      this.#ports.logger.warn("the other nodes could not be told that this one goes", { error })
    }
  }

  // --- leases ---

  #tick(): void {
    this.#timers.after(this.#heartbeatMs / LOOKS_PER_HEARTBEAT, () => this.#tick())
    if (this.#ticks++ % LOOKS_PER_HEARTBEAT === 0 || this.#offset === undefined) {
      this.#beat().catch(() => {
        // its lease runs on
      })
    }
    void this.#inspect()
  }

  /** Renews this node's lease. One that waits for the log is not overtaken by others. */
  #beat(): Promise<void> {
    this.#beating ??= this.#renew().finally(() => {
      this.#beating = undefined
    })
    return this.#beating
  }

  async #renew(): Promise<void> {
    const latest = this.#offset
    const { status, position } = await this.#put(this.life, "alive", latest === undefined ? {} : { latest })
    if (status === "refused") {
      this.#lives++
      this.#offset = undefined
      this.#renewedAtMs = Number.NEGATIVE_INFINITY
      return this.#renew()
    }
    this.#offset = position.offset
    const now = this.#ports.clock.monotonic()
    if (now - this.#renewedAtMs > 2 * this.#heartbeatMs) this.#steadySinceMs = now
    this.#renewedAtMs = now
    if (latest === undefined && this.#lives > 1) this.#ports.handleNewLife()
  }

  get #isSteady(): boolean {
    const now = this.#ports.clock.monotonic()
    const isInTouch = now - this.#renewedAtMs <= 2 * this.#heartbeatMs
    return isInTouch && now - this.#steadySinceMs >= this.#ports.limits.presenceLeaseMs
  }

  /** Looks at the lease of the successor, and of the next one if that is over; and sees to the dead. */
  async #inspect(): Promise<void> {
    if (this.#isInspecting || !this.#isSteady) return
    this.#isInspecting = true
    try {
      while (await this.#declareDead(this.#ring.successorOf(this.life)));
    } catch {
      // the log is away, and no lease counts
    } finally {
      this.#isInspecting = false
    }
    for (const dead of this.#ring.in("dead")) if (this.#ring.isBefore(this.life, dead)) void this.#reap(dead)
  }

  /** Whether it was taken for alive, and its lease was over. */
  async #declareDead(life: string): Promise<boolean> {
    if (life === this.life || this.#closed) return false
    const { status, position } = await this.#put(life, "dead", { lapsed: true })
    if (status !== "appended") return false
    this.#ring.set(life, position.offset, "dead")
    return true
  }

  async #reap(dead: string): Promise<void> {
    if (this.#reaping.has(dead)) return
    this.#reaping.add(dead)
    try {
      await this.#ports.reap(dead)
      await this.#remove(dead)
    } catch (error) {
      if (!this.#closed) this.#ports.logger.error("members of a dead node could not be removed", { error })
    } finally {
      this.#reaping.delete(dead)
    }
  }

  #put(life: string, state: "alive" | "left" | "dead", condition: Condition): Promise<Outcome> {
    const { log, clock, limits } = this.#ports
    const leaseMs = state === "dead" ? {} : { leaseMs: limits.presenceLeaseMs }
    return log.append(
      NODES_CHANNEL,
      {
        operation: "put",
        collection: NODES,
        key: life,
        body: bodyOf(state),
        at: clock.now(),
        quiet: true,
        ...leaseMs,
      },
      { retention: nodesRetention, condition },
    )
  }

  async #remove(life: string): Promise<void> {
    const { log, clock } = this.#ports
    const operation = {
      operation: "remove",
      collection: NODES,
      key: life,
      body: NOTHING,
      at: clock.now(),
    } as const
    await log.append(NODES_CHANNEL, operation, { retention: nodesRetention })
  }

  // --- what the others do ---

  async #open(): Promise<void> {
    const { log, limits, logger } = this.#ports
    try {
      this.#unwatch = await log.watch(NODES_CHANNEL, (batch) => this.#handleBatch(batch))
    } catch (error) {
      if (this.#closed) return
      logger.error("the other nodes cannot be watched, trying again", { error })
      this.#timers.after(limits.retryMs, () => void this.#open())
      return
    }
    if (this.#closed) this.#unwatch()
    else this.#read()
  }

  #handleBatch({ epoch, after, entries }: Batch): void {
    if (this.#closed) return
    if (epoch !== this.#epoch || after > this.#received) {
      this.#read()
      return
    }
    for (const { key, offset, operation, body } of entries) {
      this.#received = Math.max(this.#received, offset)
      const state = operation === "put" ? stateOf(body) : undefined
      this.#ring.set(key, offset, state)
      // refused, so that another life begins
      if (key === this.life && state !== "alive") this.#beat().catch(() => undefined)
    }
  }

  /** Reads which nodes there are: at first, and whenever something may have been missed. */
  #read(): void {
    this.#readAgain = this.#reading
    if (this.#reading) return
    this.#reading = true
    this.#readFold().then(
      () => {
        this.#reading = false
        if (this.#readAgain && !this.#closed) this.#read()
      },
      (error: unknown) => {
        this.#reading = false
        if (this.#closed) return
        this.#ports.logger.error("the log of the nodes could not be read, trying again", { error })
        this.#timers.after(this.#ports.limits.retryMs, () => this.#read())
      },
    )
  }

  async #readFold(): Promise<void> {
    const { epoch, top } = await this.#ports.log.head(NODES_CHANNEL)
    const found = await entries(this.#ports, NODES_CHANNEL, { after: 0, select: "fold" }, () => true)
    if (this.#closed) return
    const isAnew = this.#epoch !== undefined && epoch !== this.#epoch
    if (isAnew) this.#startOver()
    this.#epoch = epoch
    this.#received = Math.max(this.#received, top)
    const lives = new Set(found.map(({ key }) => key))
    for (const { key, offset, body } of found) this.#ring.set(key, offset, stateOf(body))
    if (!isAnew) this.#ring.keep(lives, top)
    this.#whenKnown.resolve()
    if (isAnew) this.#ports.handleNewEpoch()
  }

  /** Of another life of the log: others have a lease to be heard of again. */
  #startOver(): void {
    this.#received = 0
    this.#ring.startOver()
    this.#timers.after(this.#ports.limits.presenceLeaseMs, () => this.#ring.forgetUnheard())
  }
}

function withResolver() {
  let resolve = () => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
