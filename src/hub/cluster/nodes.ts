import type { Entry } from "../../log/entry.ts"
import type { Batch, Log } from "../../log/log.ts"
import { entries } from "../channel/entries.ts"
import type { Limits } from "../limits.ts"
import type { Logger } from "../options.ts"
import type { Clock } from "../ports/clock.ts"

/** Where nodes say that they are there: no pattern of a contract matches it. */
export const NODES_CHANNEL = "$nodes"

const COLLECTION = "nodes"
const ENDLESS = Number.POSITIVE_INFINITY
const retention = { entries: ENDLESS, forMs: ENDLESS, bytes: ENDLESS, removalsForMs: ENDLESS }
const NOTHING = new Uint8Array(0)

/** How many nodes that are gone are remembered as such; of one that was forgotten the lease is waited for again. */
const GONE_MAX = 1_000

/** However long the heartbeat's limit is, some of them have to be missed before a lease is over. */
const HEARTBEATS_PER_LEASE_MIN = 4

export interface NodesPorts {
  /** This node's name. */
  readonly node: string
  readonly log: Log
  readonly clock: Clock
  readonly limits: Limits
  readonly logger: Logger
  /** The lease of some nodes is over. */
  readonly handleGone: () => void
  /** This node was out of touch, so that others may take it for gone, or the log has begun anew. */
  readonly handleBack: (isAnew: boolean) => void
}

interface Heard {
  /** Of its latest heartbeat in this life of the log; 0 when there was none. */
  readonly offset: number
  /** Whether it has said that it is there, and not that it goes; otherwise it was only spoken of. */
  readonly isThere: boolean
  /** When it was heard of, by this node's monotonic clock. */
  readonly atMs: number
}

/**
 * Which nodes share the log, and which of them are gone. Each sets its key in one channel of that log every
 * `nodeHeartbeatMs`, and watches the others do so. A node that was not heard of for `presenceLeaseMs` is gone: by the
 * watcher's own clock, so the clocks of nodes need not agree; and only while the watcher hears itself, so that a log which
 * is away, or a watcher that was stopped, counts for nothing: then all leases begin anew.
 */
export class Nodes {
  readonly #ports: NodesPorts
  readonly #heartbeatMs: number
  readonly #heard = new Map<string, Heard>()
  readonly #gone = new Set<string>()
  readonly #whenKnown = withResolver()
  #epoch: string | undefined
  #received = 0
  /** When this node has heard itself last. */
  #echoMs: number | undefined
  /** Others have taken it for gone, or the log has lost what it knew. */
  #isDoubted = false
  /** The log has begun anew since this node last heard itself. */
  #isAnew = false
  #reading = false
  #readAgain = false
  #beating = false
  #deaths = 0
  #cancelBeat = () => {}
  #cancelExpiry = () => {}
  #unwatch = () => {}
  #closed = false

  constructor(ports: NodesPorts) {
    this.#ports = ports
    const { nodeHeartbeatMs, presenceLeaseMs } = ports.limits
    this.#heartbeatMs = Math.min(nodeHeartbeatMs, presenceLeaseMs / HEARTBEATS_PER_LEASE_MIN)
  }

  /** Resolves when it was read for the first time who is there. */
  get known(): Promise<void> {
    return this.#whenKnown.promise
  }

  /** Rises whenever a lease is over. */
  get deaths(): number {
    return this.#deaths
  }

  /** Those that were heard of, this one included. */
  names(): string[] {
    return [...this.#heard].filter(([, { isThere }]) => isThere).map(([name]) => name)
  }

  isGone(name: string): boolean {
    return this.#gone.has(name)
  }

  /** Something of the node was seen: if it is never heard of, its lease is over some time. */
  note(name: string): void {
    if (this.#heard.has(name) || this.#gone.has(name)) return
    this.#heard.set(name, { offset: 0, isThere: false, atMs: this.#ports.clock.monotonic() })
    this.#awaitExpiry()
  }

  /** It has told the log something just now, so it is not gone, or not yet: its lease begins anew. */
  handleNews(name: string): void {
    this.#gone.delete(name)
    this.note(name)
  }

  start(): void {
    void this.#open()
  }

  /** Resolves when the others know. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelBeat()
    this.#cancelExpiry()
    this.#unwatch()
    const { node, log, logger } = this.#ports
    try {
      await log.append(NODES_CHANNEL, this.#operation("remove", node), { retention })
    } catch (error) {
      logger.warn("the other nodes could not be told that this one goes", { error })
    }
  }

  async #open(): Promise<void> {
    const { log, clock, limits, logger } = this.#ports
    try {
      this.#unwatch = await log.watch(NODES_CHANNEL, (batch) => this.#handleBatch(batch))
    } catch (error) {
      if (this.#closed) return
      logger.error("the other nodes cannot be watched, trying again", { error })
      this.#cancelBeat = clock.after(limits.retryMs, () => void this.#open())
      return
    }
    if (this.#closed) {
      this.#unwatch()
      return
    }
    this.#read()
    this.#beat()
  }

  /** Says that this node is there. An append that waits for the log is not overtaken by others. */
  #beat(): void {
    const { node, log, clock } = this.#ports
    this.#cancelBeat = clock.after(this.#heartbeatMs, () => this.#beat())
    if (this.#beating) return
    this.#beating = true
    const done = () => {
      this.#beating = false
    }
    // that it was of no use is seen by its absence, here as elsewhere
    log.append(NODES_CHANNEL, this.#operation("put", node), { retention }).then(done, done)
  }

  #operation(operation: "put" | "remove", key: string) {
    return { operation, collection: COLLECTION, key, body: NOTHING, at: this.#ports.clock.now() }
  }

  #handleBatch(batch: Batch): void {
    if (this.#closed) return
    if (batch.epoch !== this.#epoch || batch.after > this.#received) {
      this.#read()
      return
    }
    for (const entry of batch.entries) this.#take(entry)
  }

  /** Reads where the nodes stand: at first, and whenever something may have been missed. */
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
        this.#ports.clock.after(this.#ports.limits.retryMs, () => this.#read())
      },
    )
  }

  async #readFold(): Promise<void> {
    const { epoch, top } = await this.#ports.log.head(NODES_CHANNEL)
    const found = await entries(this.#ports, NODES_CHANNEL, { after: 0, select: "fold" }, () => true)
    if (this.#closed) return
    if (epoch !== this.#epoch) this.#startOver(epoch)
    this.#received = Math.max(this.#received, top)
    for (const entry of found) this.#take(entry)
    this.#whenKnown.resolve()
  }

  /** Of another life of the log: its offsets say nothing about those before, and what it knew of this node is lost. */
  #startOver(epoch: string): void {
    this.#isDoubted = this.#epoch !== undefined
    this.#isAnew = this.#epoch !== undefined
    this.#epoch = epoch
    this.#received = 0
    for (const [name, heard] of this.#heard) this.#heard.set(name, { ...heard, offset: 0 })
  }

  #take({ operation, key, offset }: Entry): void {
    this.#received = Math.max(this.#received, offset)
    const { clock, node } = this.#ports
    const heard = this.#heard.get(key)
    if (offset <= (heard?.offset ?? 0)) return
    if (operation === "put") {
      this.#heard.set(key, { offset, isThere: true, atMs: clock.monotonic() })
      this.#gone.delete(key)
      if (key === node) this.#handleEcho()
    } else if (key === node) {
      this.#isDoubted = true
    } else if (heard !== undefined) {
      // it has gone in good order; should it have left anything behind, that goes when its lease is over
      this.#heard.set(key, { ...heard, offset: 0, isThere: false })
    }
    this.#awaitExpiry()
  }

  #handleEcho(): void {
    const now = this.#ports.clock.monotonic()
    const wasOut = !this.#isInTouch(now)
    this.#echoMs = now
    if (wasOut) for (const [name, heard] of this.#heard) this.#heard.set(name, { ...heard, atMs: now })
    // the first time too: it may have been stopped before, with members that came in at once
    if (wasOut || this.#isDoubted) this.#ports.handleBack(this.#isAnew)
    this.#isDoubted = false
    this.#isAnew = false
  }

  #isInTouch(nowMs: number): boolean {
    return this.#echoMs !== undefined && nowMs - this.#echoMs <= 2 * this.#heartbeatMs
  }

  #awaitExpiry(): void {
    this.#cancelExpiry()
    if (this.#closed) return
    const { node, clock, limits } = this.#ports
    let firstMs = Number.POSITIVE_INFINITY
    for (const [name, { atMs }] of this.#heard) if (name !== node) firstMs = Math.min(firstMs, atMs)
    if (firstMs === Number.POSITIVE_INFINITY) return
    // out of touch, the lease counts for nothing; it is looked at again when this node hears itself
    const restMs = Math.max(firstMs + limits.presenceLeaseMs - clock.monotonic(), 0)
    this.#cancelExpiry = clock.after(restMs, () => this.#expire())
  }

  #expire(): void {
    const { node, clock, limits, handleGone } = this.#ports
    const now = clock.monotonic()
    if (!this.#isInTouch(now)) return
    const before = this.#deaths
    for (const [name, { atMs, offset }] of this.#heard) {
      if (name === node || now - atMs < limits.presenceLeaseMs) continue
      this.#heard.delete(name)
      if (this.#gone.size >= GONE_MAX) this.#gone.clear()
      this.#gone.add(name)
      this.#deaths++
      if (offset > 0) this.#remove(name, offset)
    }
    this.#awaitExpiry()
    if (this.#deaths > before) handleGone()
  }

  /** Whoever is first takes the node's key away, unless it was heard of meanwhile. */
  #remove(name: string, latest: number): void {
    const { log } = this.#ports
    // if it fails, the node that starts next will find the key, and wait for the lease
    log
      .append(NODES_CHANNEL, this.#operation("remove", name), { retention, condition: { latest } })
      .catch(() => undefined)
  }
}

function withResolver() {
  let resolve = () => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
