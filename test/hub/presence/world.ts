import type { Log } from "../../../src/log/log.ts"
import { HoldfastError } from "../../../src/protocol/error.ts"
import type { ServerMessage } from "../../../src/protocol/message.ts"
import { sharedLog } from "../../../src/testing/shared-log.ts"
import { type VirtualClock, virtualClock } from "../../../src/testing/virtual-clock.ts"
import { leasingLog, type Node, nodes } from "../node-rig.ts"
import type { Peer } from "../rig.ts"

export const CHANNEL = "room/lobby"

/** Three nodes, two clients, a subscriber at the third node, and a log whose appends to the channel the test decides about. */
export async function world(
  options: Parameters<typeof nodes>[1] = {},
  clock = virtualClock(),
  engine = sharedLog(leasingLog(clock)),
) {
  const { log, control, release } = controlled(engine)
  const { all, start } = nodes(3, options, clock, log)
  const [a, b, c] = all
  const observer = c.peer()
  await observer.hello({ channel: CHANNEL })
  const lobby = c.hub.channel("room/:room", { room: "lobby" })
  return {
    ...{ clock, a, b, c, start, control, release, observer, lobby },
    ...{ ada: client(clock, "ada"), bob: client(clock, "bob") },
    seen: () =>
      observer.received.flatMap((message) => {
        if (message.type === "join") return `join ${(message.data as { mood: string }).mood}`
        return message.type === "left" ? "left" : []
      }),
    moods: async () => [...(await lobby.members()).values()].map(({ mood }) => mood).sort(),
  }
}

/** One session of a user, with versions as the real client makes them. */
export function client(clock: VirtualClock, session: string, user = session) {
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
  /** Resolves with the answer, if there is one without time passing. */
  const ask = async (peer: Peer, message: object): Promise<ServerMessage | undefined> => {
    const id = ++lastId
    peer.send({ ...message, id, channel: CHANNEL })
    await clock.settle()
    return peer.received.find((received) => "id" in received && received.id === id)
  }
  return {
    connect: (node: Node, mood?: string, version = stamp()) => begin(node.peer(), mood, version),
    request: (node: Node, mood?: string, version = stamp()) => begin(node.request(), mood, version),
    enter: (peer: Peer, mood: string, version = stamp()) =>
      ask(peer, { type: "enter", data: { mood }, version }),
    leave: (peer: Peer, version = stamp()) => ask(peer, { type: "leave", version }),
  }
}

/** `doubtful` appends are carried out, and reported as `in_doubt`. */
type Mode = "open" | "held" | "refused" | "full" | "doubtful"

function controlled(log: Log) {
  const held: (() => void)[] = []
  const control = { mode: "open" as Mode, appends: 0, atOnceMax: 0 }
  let atOnce = 0
  const append: Log["append"] = async (channel, ...rest) => {
    if (channel !== CHANNEL) return log.append(channel, ...rest)
    control.appends++
    control.atOnceMax = Math.max(control.atOnceMax, ++atOnce)
    try {
      if (control.mode === "held") await new Promise<void>((resolve) => held.push(resolve))
      if (control.mode === "refused") throw new HoldfastError("log_unavailable")
      if (control.mode === "full") throw new HoldfastError("log_full")
      const outcome = await log.append(channel, ...rest)
      if (control.mode === "doubtful") throw new HoldfastError("in_doubt")
      return outcome
    } finally {
      atOnce--
    }
  }
  const release = () => {
    control.mode = "open"
    for (const resolve of held.splice(0)) resolve()
  }
  return { log: { ...log, append } satisfies Log as Log, control, release }
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
