import type { ServerMessage } from "../../../src/protocol/message.ts"
import type { VirtualClock } from "../../../src/testing/virtual-clock.ts"
import type { Node } from "../node-rig.ts"
import type { Peer } from "../rig.ts"

export const CHANNEL = "room/lobby"

export interface Client {
  /** Opens a connection; its hello enters when it has a mood. */
  readonly connect: (node: Node, mood?: string, version?: number) => Promise<Peer>
  /** Sends a request that stays open until it is cut; its hello enters when it has a mood. */
  readonly request: (node: Node, mood?: string, version?: number) => Promise<Peer>
  /** Resolves with the answer, if there is one without time passing. */
  readonly enter: (peer: Peer, mood: string, version?: number) => Promise<ServerMessage | undefined>
  readonly leave: (peer: Peer, version?: number) => Promise<ServerMessage | undefined>
}

/** One session of a user, with versions as the real client makes them. */
export function client(clock: VirtualClock, session = "ada", user = session): Client {
  let lastVersion = 0
  let lastId = 0
  const stamp = () => {
    lastVersion = Math.max(clock.now(), lastVersion + 1)
    return lastVersion
  }
  const begin = async (peer: Peer, mood: string | undefined, version: number) => {
    const presence = mood === undefined ? [] : [{ channel: CHANNEL, data: { mood }, version }]
    const hello = { type: "hello", session: session.padEnd(24, "-"), token: user, subscriptions: [] }
    peer.send({ ...hello, presence })
    await clock.settle()
    return peer
  }
  const ask = async (peer: Peer, message: object) => {
    const id = ++lastId
    peer.send({ ...message, id, channel: CHANNEL })
    await clock.settle()
    return peer.received.find((received) => "id" in received && received.id === id)
  }
  return {
    connect: (node, mood, version = stamp()) => begin(node.peer(), mood, version),
    request: (node, mood, version = stamp()) => begin(node.request(), mood, version),
    enter: (peer, mood, version = stamp()) => ask(peer, { type: "enter", data: { mood }, version }),
    leave: (peer, version = stamp()) => ask(peer, { type: "leave", version }),
  }
}

/** What a subscriber at the node sees of the members. */
export async function observe(node: Node): Promise<() => string[]> {
  const peer = node.peer()
  await peer.hello({ channel: CHANNEL })
  return () =>
    peer.received.flatMap((message) => {
      if (message.type === "join") return `join ${(message.data as { mood: string }).mood}`
      return message.type === "left" ? "left" : []
    })
}

export const lobbyOf = ({ hub }: Pick<Node, "hub">) => hub.channel("room/:room", { room: "lobby" })

export async function moodsAt(node: Node): Promise<string[]> {
  return [...(await lobbyOf(node).members()).values()].map(({ mood }) => mood)
}

/** Presence handlers that answer only when they are told to. */
export function pendingHandlers() {
  const answers: (() => void)[] = []
  const presence = ({ data }: { data: { mood: string } }) =>
    new Promise<{ name: string; mood: string }>((resolve) => {
      answers.push(() => resolve({ name: "somebody", mood: data.mood }))
    })
  return { answers, channels: { "room/:room": { subscribe: true, presence } } } as const
}
