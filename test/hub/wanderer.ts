import { ownPresence } from "../../src/client/presence-view.ts"
import type { Subscription } from "../../src/client/subscription.ts"
import { HoldfastError } from "../../src/protocol/error.ts"
import type { ServerMessage } from "../../src/protocol/message.ts"
import type { Seeded } from "../../src/testing/seeded.ts"
import type { VirtualClock } from "../../src/testing/virtual-clock.ts"
import type { Node } from "./node-rig.ts"
import type { Peer } from "./rig.ts"

export const CHANNEL = "room/lobby"

/** How long something is on its way at most, in ms. */
const WAY_MS_MAX = 1_500

interface Current {
  readonly node: Node
  readonly peer: Peer
  readonly isBrief: boolean
}

interface Ask {
  readonly id: number
  readonly make: () => object
  readonly settle: (answer: ServerMessage) => void
}

/**
 * One client, with one session, that goes over to requests and back to connections, to any of the nodes: the presence of the real client on a
 * way that takes its time, and delivers what was sent over a connection that was given up since.
 */
export class Wanderer {
  readonly #clock: VirtualClock
  readonly #chance: Seeded
  readonly #pickNode: () => Node
  readonly #hello = { type: "hello", session: "the-same-session-0123456789" }
  readonly #subscriptions: object[]
  readonly #listeners = new Map<string, (told?: HoldfastError) => void>()
  readonly #subscription: Pick<Subscription, "place"> = { place: undefined }
  readonly #presence: ReturnType<typeof ownPresence>
  readonly #asks = new Map<number, Ask>()
  /** What is on its way over a connection. */
  readonly #sent = new WeakMap<Peer, object[]>()
  #lastId = 0
  #aheadMs = 0
  /** What it listens to: a connection, or the poll of the line of requests that it is on. */
  #current: Current | undefined
  #line = {}
  #isVanished = false
  #stopPoll = () => {}
  #carrying: Promise<void> = Promise.resolve()
  /** What it wants others to see of it. */
  mood: string | undefined
  enters = 0
  leaves = 0

  constructor(clock: VirtualClock, chance: Seeded, pickNode: () => Node) {
    this.#clock = clock
    this.#chance = chance
    this.#pickNode = pickNode
    this.#subscriptions = chance.chance(0.5) ? [{ channel: CHANNEL }] : []
    const listen = (type: string, listener: (told?: HoldfastError) => void) => {
      this.#listeners.set(type, listener)
      return () => {}
    }
    const feed = { listen, refuseWhenClosed: () => {}, subscription: this.#subscription }
    this.#presence = ownPresence(feed as never, {
      send: (make) => this.#ask(make),
      nowMs: () => clock.monotonic() + this.#aheadMs,
      later: (ask) => clock.after(1_000, ask),
      handleError: (error) => {
        throw error
      },
    })
  }

  enter(): void {
    this.mood = `mood ${++this.enters}`
    this.#presence.view.enter({ mood: this.mood }).catch((error: HoldfastError) => {
      if (error.code !== "superseded") throw error
    })
  }

  leave(): void {
    if (this.mood === undefined) return
    this.mood = undefined
    this.leaves++
    this.#presence.view.leave().catch((error: HoldfastError) => {
      if (error.code !== "superseded") throw error
    })
  }

  /** Opens a connection and, when it is up, gives up what it had before. */
  toConnection(): void {
    const before = this.#current
    this.#stopPoll()
    const node = this.#pickNode()
    const peer = node.peer()
    this.#listen(node, peer, false)
    peer.send({ ...this.#hello, subscriptions: this.#subscriptions })
    this.#giveUp(before)
    this.#handleUp()
  }

  toRequests(): void {
    this.#giveUp(this.#current)
    this.#poll()
    this.#handleUp()
  }

  /** What it had is gone: the server sees that now or later. */
  lose(): void {
    const isBrief = this.#current?.isBrief === true
    this.#giveUp(this.#current)
    this.#current = undefined
    this.#line = {}
    this.#clock.after(this.#chance.between(0, 1_000), () => {
      if (this.#current !== undefined || this.#isVanished) return
      if (isBrief) this.toRequests()
      else this.toConnection()
    })
  }

  /** The node is about to end, and says so. */
  leaveNode(node: Node): void {
    if (this.#current?.node !== node) return
    if (this.#current.isBrief) this.#poll()
    else this.toConnection()
  }

  loseNode(node: Node): void {
    if (this.#current?.node === node) this.lose()
  }

  /** Without a word. */
  vanish(): void {
    this.#isVanished = true
    this.#giveUp(this.#current)
    this.#stopPoll()
    this.#current = undefined
    this.#line = {}
    this.#asks.clear()
  }

  #ask(make: () => object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      const settle = (answer: ServerMessage) => {
        if (answer.type === "error") reject(new HoldfastError(answer.code, answer.message, answer))
        else resolve(answer)
      }
      const ask = { id, make: () => ({ ...make(), id, channel: CHANNEL }), settle }
      this.#asks.set(id, ask)
      this.#carry(ask)
    })
  }

  /** Everything that is not answered is sent again. */
  #handleUp(): void {
    this.#line = {}
    for (const ask of this.#asks.values()) this.#carry(ask)
    this.#listeners.get("up")?.()
  }

  #carry(ask: Ask): void {
    const { peer, isBrief } = this.#current ?? {}
    if (peer === undefined) return
    const line = this.#line
    if (isBrief) this.#carrying = this.#carrying.then(() => this.#request(line, ask))
    else this.#send(peer, ask.make())
  }

  /** Over a request of its own, given up after a while: it may arrive all the same. */
  async #request(line: object, ask: Ask): Promise<void> {
    if (line !== this.#line) return
    const node = this.#pickNode()
    const peer = node.request()
    const answered = new Promise<void>((resolve) => {
      this.#handle(node, peer, (message) => {
        if (message.type !== "result" && message.type !== "error") return
        if (line === this.#line) this.#settle(message)
        peer.leave()
        resolve()
      })
      this.#clock.after(3_000, resolve)
    })
    const message = ask.make()
    this.#later(() => {
      peer.send({ ...this.#hello, subscriptions: [] })
      peer.send(message as never)
    })
    await answered
    if (line !== this.#line) return
    // before what was asked for since
    if (this.#asks.has(ask.id)) await this.#request(line, ask)
    else this.#poll()
  }

  #poll(): void {
    this.#stopPoll()
    const node = this.#pickNode()
    const peer = node.request()
    this.#listen(node, peer, true)
    const placed = this.#subscription.place?.()
    const presence = placed === undefined ? [] : [{ channel: CHANNEL, ...placed }]
    this.#later(() => peer.send({ ...this.#hello, subscriptions: this.#subscriptions, presence }))
    const stop = this.#clock.after(
      WAY_MS_MAX + this.#chance.between(50, this.#chance.pick([4_000, 100_000])),
      () => {
        peer.cut()
        this.#poll()
      },
    )
    this.#stopPoll = () => {
      stop()
      this.#later(() => peer.cut())
      this.#stopPoll = () => {}
    }
  }

  #listen(node: Node, peer: Peer, isBrief: boolean): void {
    this.#current = { node, peer, isBrief }
    this.#handle(node, peer, (message) => {
      if (peer !== this.#current?.peer) return
      if (message.type === "removed") {
        this.#listeners.get("removed")?.(new HoldfastError(message.code, message.message, message))
        // a poll is answered with it
        if (isBrief) this.#poll()
      } else this.#settle(message)
    })
  }

  #handle(_: Node, { received }: Peer, handle: (message: ServerMessage) => void): void {
    const push = received.push.bind(received)
    received.push = (...messages) => {
      for (const message of messages) {
        if (message.type === "welcome") this.#aheadMs = message.now - this.#clock.monotonic()
        handle(message)
      }
      return push(...messages)
    }
  }

  #settle(message: ServerMessage): void {
    if ((message.type !== "result" && message.type !== "error") || message.id === undefined) return
    const ask = this.#asks.get(message.id)
    this.#asks.delete(message.id)
    ask?.settle(message)
  }

  /** In the order of the calls. */
  #send(peer: Peer, message: object): void {
    const sent = this.#sent.get(peer) ?? []
    this.#sent.set(peer, sent)
    sent.push(message)
    this.#later(() => peer.send(sent.shift() as never))
  }

  /** What was sent over it may still be on its way, and the server sees last that it is over. */
  #giveUp(before: Current | undefined): void {
    if (before?.isBrief === false) this.#clock.after(WAY_MS_MAX, () => before.peer.cut())
    else this.#stopPoll()
  }

  #later(task: () => void): void {
    this.#clock.after(this.#chance.between(0, this.#chance.pick([50, WAY_MS_MAX])), task)
  }
}
