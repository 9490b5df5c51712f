import type { Seeded } from "../../src/testing/seeded.ts"
import type { VirtualClock } from "../../src/testing/virtual-clock.ts"
import type { Node } from "./node-rig.ts"
import type { Peer } from "./rig.ts"

export const CHANNEL = "room/lobby"

/** One client, with one session, that goes over to requests and back to lines, to any of the nodes, as the SDK would. */
export interface Wanderer {
  /** What it wants others to see of it. */
  readonly mood: () => string | undefined
  /** How often it has left. */
  readonly leaves: () => number
  enter(): Promise<void>
  leave(): Promise<void>
  /** Opens a line and, when it is up, gives up what it had before. */
  toLine(): Promise<void>
  toRequests(): Promise<void>
  loseLine(): Promise<void>
  /** The node is about to end, and says so. */
  leaveNode(node: Node): Promise<void>
  /** The node has ended without a word. */
  loseNode(node: Node): Promise<void>
  /** Without a word. */
  vanish(): void
}

/** @param pickNode where the next line or request goes */
export function wanderer(clock: VirtualClock, chance: Seeded, pickNode: () => Node): Wanderer {
  const session = "the-same-session-0123456789"
  const subscriptions = chance.chance(0.5) ? [{ channel: CHANNEL }] : []
  let mood: string | undefined
  let moods = 0
  let leaves = 0
  let openedAt = 0
  let id = 0
  let line: { readonly node: Node; readonly peer: Peer } | undefined
  let polled: Node | undefined
  let endPoll = () => {}
  let comesWithRequests = false

  const say = (peer: Peer) =>
    peer.send({ type: "enter", id: ++id, channel: CHANNEL, data: { mood: mood as string } })

  /** Requests that are held open, one after the other. */
  const poll = () => {
    endPoll()
    if (!comesWithRequests) return
    polled = pickNode()
    const peer = polled.request()
    const presence = mood === undefined ? [] : [{ channel: CHANNEL, data: { mood } }]
    peer.send({ type: "hello", session, openedAt, subscriptions, presence })
    const stop = clock.after(chance.between(50, chance.pick([4_000, 100_000])), poll)
    endPoll = () => {
      stop()
      peer.cut()
    }
  }

  const request = async (message: Record<string, unknown>) => {
    const peer = pickNode().request()
    peer.send({ type: "hello", session, openedAt, subscriptions: [] })
    await clock.settle()
    peer.send(message)
    await clock.settle()
    peer.leave()
    poll()
  }

  const openLine = async () => {
    openedAt++
    const node = pickNode()
    const peer = node.peer()
    peer.send({ type: "hello", session, openedAt, subscriptions })
    await clock.advance(chance.between(10, 100))
    line = { node, peer }
    if (mood !== undefined) say(peer)
  }

  const insist = () => {
    clock.after(1_000, insist)
    if (line === undefined || mood === undefined) return
    if (line.peer.all("error").some((error) => error.id === id)) say(line.peer)
  }
  insist()

  return {
    mood: () => mood,
    leaves: () => leaves,
    async enter() {
      mood = `mood ${++moods}`
      if (line !== undefined) say(line.peer)
      else await request({ type: "enter", id: ++id, channel: CHANNEL, data: { mood } })
    },
    async leave() {
      if (mood === undefined) return
      mood = undefined
      leaves++
      const message = { type: "leave", id: ++id, channel: CHANNEL }
      if (line !== undefined) {
        line.peer.send(message)
        return
      }
      poll()
      await clock.advance(100)
      await request(message)
    },
    async toLine() {
      const before = line
      await openLine()
      comesWithRequests = false
      const end = endPoll
      const giveUp = () => {
        end()
        before?.peer.cut()
      }
      clock.after(chance.chance(0.5) ? 0 : chance.between(0, 2_000), giveUp)
    },
    async toRequests() {
      openedAt++
      line?.peer.cut()
      line = undefined
      comesWithRequests = true
      poll()
    },
    async loseLine() {
      if (line === undefined) return
      line.peer.cut()
      await clock.advance(chance.between(0, 2_000))
      await openLine()
    },
    async leaveNode(node) {
      if (polled === node) poll()
      if (line?.node !== node) return
      const before = line
      await openLine()
      await clock.advance(100)
      before.peer.cut()
    },
    async loseNode(node) {
      poll()
      if (line?.node !== node) return
      await clock.advance(chance.between(0, 3_000))
      await openLine()
    },
    vanish() {
      comesWithRequests = false
      line?.peer.cut()
      endPoll()
    },
  }
}
