import type { Log } from "../../log/log.ts"
import type { Condition, Outcome } from "../../log/operation.ts"
import { decodeBody, encodeBody } from "../../protocol/body.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Logger } from "../ports/logger.ts"
import { Timers } from "../ports/timers.ts"
import { lifeOf, NODES, NODES_CHANNEL, nodeOf, nodesRetention } from "./node-keys.ts"
import { deadBehind, followersOf, livesIn, type NodeState, type Ring } from "./ring.ts"

/** However long the heartbeat's limit is, some of them have to be missed before a lease is over. */
const HEARTBEATS_PER_LEASE_MIN = 4
const WHOLE_FOLD = {
  after: 0,
  through: Number.MAX_SAFE_INTEGER,
  select: "fold",
  collections: [NODES],
  entriesMax: 100_000,
  bytesMax: 16 * 1024 * 1024,
} as const

export interface NodesPorts {
  /** This node's name. */
  readonly node: string
  readonly log: Log
  readonly clock: Clock
  readonly limits: Limits
  readonly logger: Logger
  /** This node has begun another life, or the log has. */
  readonly handleStartOver: () => void
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
 * With each heartbeat a node renews its lease, which makes no entry, and puts `dead` in the place of its successor in the ring. The log lets it
 * do that only when the lease is over, by the clock of the log; and a node tries it only after it has itself renewed without
 * interruption for a whole lease, so that after an outage of the log all have the time to renew. The next living node before a dead one
 * removes what it held, and then its key: if it dies meanwhile, another one is the next. A node that does not find its key as it has put
 * it begins another life.
 */
export class Nodes {
  readonly #ports: NodesPorts
  readonly #timers: Timers
  readonly #heartbeatMs: number
  #lives = 1
  /** Of this life's key; undefined until the log has it. */
  #offset: number | undefined
  #renewing: Promise<void> | undefined
  /** Since when it has renewed without interruption, and when it did so last, by the monotonic clock. */
  #steadySinceMs = 0
  #renewedAtMs = Number.NEGATIVE_INFINITY
  #isBeating = false
  readonly #reaping = new Set<string>()
  #epoch: string | undefined
  #ring: Ring = new Map()
  /** Since the log has begun anew, these have until then to be heard of again. */
  #expected: { readonly lives: readonly string[]; readonly untilMs: number } | undefined
  #closed = false

  constructor(ports: NodesPorts) {
    this.#ports = ports
    this.#timers = new Timers(ports.clock)
    const { nodeHeartbeatMs, presenceLeaseMs } = ports.limits
    this.#heartbeatMs = Math.min(nodeHeartbeatMs, presenceLeaseMs / HEARTBEATS_PER_LEASE_MIN)
  }

  /** The name of this life. */
  get life(): string {
    return lifeOf(this.#ports.node, this.#lives)
  }

  /** The nodes that are alive, without this one. @throws what the log fails with */
  async others(): Promise<string[]> {
    await this.#read()
    const { lives, untilMs } = this.#expected ?? { lives: [], untilMs: 0 }
    const expected = this.#ports.clock.monotonic() < untilMs ? lives : []
    const names = new Set([...livesIn(this.#ring, "alive"), ...expected].map(nodeOf))
    names.delete(this.#ports.node)
    return [...names]
  }

  /** Resolves when the log has this life's key. @throws what the log fails with */
  async joined(): Promise<void> {
    if (this.#offset === undefined) await this.#renew()
  }

  start(): void {
    this.#timers.after(this.#heartbeatMs, () => this.start())
    // one that waits for the log is not overtaken by others
    if (this.#isBeating) return
    this.#isBeating = true
    this.#beat()
      .catch(() => {
        // the next one tries again; until then this node judges no other
      })
      .finally(() => {
        this.#isBeating = false
      })
  }

  /** Resolves when the others know. `isHolding`: members are left, for a lease. */
  async close(isHolding: boolean): Promise<void> {
    this.#closed = true
    this.#timers.close()
    await this.#renewing?.catch(() => undefined)
    if (this.#offset === undefined) return
    try {
      if (isHolding) await this.#put(this.life, "left", { latest: this.#offset })
      else await this.#remove(this.life)
    } catch (error) {
      this.#ports.logger.warn("this node could not give up its lease, which runs out", { error })
    }
  }

  async #beat(): Promise<void> {
    await this.#renew()
    await this.#read()
    const { clock, limits } = this.#ports
    if (this.#closed || clock.monotonic() - this.#steadySinceMs < limits.presenceLeaseMs) return
    const ring = new Map(this.#ring)
    for (const life of followersOf(ring, this.life)) {
      const { status } = await this.#put(life, "dead", { lapsed: true })
      if (status !== "appended") break
      ring.set(life, "dead")
    }
    for (const dead of deadBehind(ring, this.life)) void this.#reap(dead)
  }

  #renew(): Promise<void> {
    this.#renewing ??= this.#putOwn().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  async #putOwn(): Promise<void> {
    const latest = this.#offset
    const { status, position } = await this.#put(this.life, "alive", latest === undefined ? {} : { latest })
    if (status === "refused") {
      this.#lives++
      this.#offset = undefined
      return this.#putOwn()
    }
    const now = this.#ports.clock.monotonic()
    if (latest === undefined || now - this.#renewedAtMs > 2 * this.#heartbeatMs) this.#steadySinceMs = now
    this.#offset = position.offset
    this.#renewedAtMs = now
    if (latest === undefined && this.#lives > 1) this.#ports.handleStartOver()
  }

  async #read(): Promise<void> {
    const { log, clock, limits, handleStartOver } = this.#ports
    const { head, entries } = await log.read(NODES_CHANNEL, WHOLE_FOLD)
    const isAnew = this.#epoch !== undefined && this.#epoch !== head.epoch
    if (isAnew)
      this.#expected = {
        lives: livesIn(this.#ring, "alive"),
        untilMs: clock.monotonic() + limits.presenceLeaseMs,
      }
    this.#epoch = head.epoch
    this.#ring = new Map(entries.map(({ key, body }) => [key, decodeBody(body) as NodeState]))
    if (isAnew) handleStartOver()
  }

  async #reap(dead: string): Promise<void> {
    if (this.#reaping.has(dead)) return
    this.#reaping.add(dead)
    try {
      await this.#ports.reap(dead)
      await this.#remove(dead)
    } catch (error) {
      // tried again with the next heartbeat
      if (!this.#closed) this.#ports.logger.error("members of a dead node could not be removed", { error })
    } finally {
      this.#reaping.delete(dead)
    }
  }

  #put(life: string, state: NodeState, condition: Condition): Promise<Outcome> {
    const { log, clock, limits } = this.#ports
    const lease = state === "dead" ? {} : { leaseMs: limits.presenceLeaseMs, quiet: true }
    const operation = { operation: "put", collection: NODES, key: life, at: clock.now(), ...lease } as const
    return log.append(
      NODES_CHANNEL,
      { ...operation, body: encodeBody(state) },
      { retention: nodesRetention, condition },
    )
  }

  #remove(life: string): Promise<Outcome> {
    const { log, clock } = this.#ports
    const operation = { operation: "remove", collection: NODES, key: life, at: clock.now() } as const
    return log.append(NODES_CHANNEL, { ...operation, body: new Uint8Array(0) }, { retention: nodesRetention })
  }
}
