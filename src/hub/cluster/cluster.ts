import type { Channels } from "../channel/channels.ts"
import type { Connection } from "../connection/connection.ts"
import type { Connections } from "../connection/connections.ts"
import type { Ending } from "../connection/endings.ts"
import type { Limits } from "../limits.ts"
import type { Answer, Cluster, ClusterConnection, Disconnection, Gathered } from "./cluster-answers.ts"
import type { Neighbours } from "./neighbours.ts"

type Question =
  | { readonly type: "nodes" }
  | { readonly type: "connections"; readonly user?: string }
  | {
      readonly type: "disconnect"
      readonly user: string
      readonly reason: string
      readonly reconnect: boolean
      readonly atMs: number
    }
  | { readonly type: "revoke"; readonly user: string; readonly channel: string; readonly reason: string }

/** Asks every node, this one included. */
type Gather = <T>(question: Question) => Promise<Gathered<T>>

const gatherBy =
  (neighbours: Neighbours): Gather =>
  (question) =>
    neighbours.gather(question)

export function clusterOf(neighbours: Neighbours): Cluster {
  const gather = gatherBy(neighbours)
  return {
    nodes: () => gather({ type: "nodes" }),
    connections: ({ user } = {}) =>
      gather({ type: "connections", ...(user !== undefined && { user: `${user}` }) }),
  }
}

/** Whether another node takes clients. Not, when that cannot be known. */
export async function hasElsewhere(neighbours: Neighbours, node: string): Promise<boolean> {
  if (!neighbours.reachable) return false
  const { results } = await clusterOf(neighbours)
    .nodes()
    .catch(() => ({ results: [] }))
  return results.some((other) => other.node !== node && !other.draining)
}

/** Ends a user's connections at every node. The results name them. */
export function disconnect(
  neighbours: Neighbours,
  { user, reason, reconnect }: Disconnection,
  atMs: number,
): Promise<Gathered<ClusterConnection>> {
  return gatherBy(neighbours)({ type: "disconnect", user: `${user}`, reason, reconnect, atMs })
}

/** Ends a user's subscriptions to a channel, and its presence there, at every node. The results name its connections. */
export function revokeEverywhere(
  neighbours: Neighbours,
  channel: string,
  user: string | number,
  reason: string,
): Promise<Gathered<ClusterConnection>> {
  return gatherBy(neighbours)({ type: "revoke", channel, user: `${user}`, reason })
}

export interface AnswerPorts {
  readonly node: string
  readonly limits: Limits
  readonly channels: Channels
  /** Whether this node sends its clients away. */
  readonly isDraining: () => boolean
  readonly connections: Connections
  /** Ends the connections of a user at this node, those of late and those that are about to be opened included. */
  readonly disconnect: (user: string, connections: readonly Connection[], ending: Ending) => void
  /** Ends the subscriptions of these connections to a channel, and their presence there. */
  readonly revoke: (connections: readonly Connection[], channel: string, reason: string) => void
  /** Removes all members of a user from the presence of a channel, as far as this node holds them. */
  readonly removeUser: (channel: string, user: string) => void
}

/** What this node does about a question, whoever asks, and says. */
export function answerTo(ports: AnswerPorts, asked: unknown): Answer {
  const question = asked as Question
  switch (question.type) {
    case "nodes": {
      const { connections, channels } = ports
      const node = {
        node: ports.node,
        connections: connections.size,
        channels: channels.size,
        draining: ports.isDraining(),
      }
      return { results: [node], truncated: false }
    }
    case "connections":
      return told(ports, connectionsOf(ports, question.user))
    case "disconnect": {
      const { user, ...ending } = question
      return told(ports, connectionsOf(ports, user), (connections) =>
        ports.disconnect(user, connections, ending),
      )
    }
    case "revoke": {
      const { user, channel, reason } = question
      const concerned = connectionsOf(ports, user).filter(
        ({ subscriptions, entered }) => subscriptions.has(channel) || entered?.has(channel) === true,
      )
      const answer = told(ports, concerned, (connections) => ports.revoke(connections, channel, reason))
      // those too whose client is between two requests
      ports.removeUser(channel, user)
      return answer
    }
    default:
      // of a newer node
      return { results: [], truncated: false }
  }
}

function connectionsOf(ports: AnswerPorts, user: string | undefined): Connection[] {
  return [...ports.connections].filter(
    ({ state, userId }) => state === "open" && (user === undefined || userId === user),
  )
}

/** Does something about connections, and says which: bounded, however many they are. */
function told(
  ports: AnswerPorts,
  connections: readonly Connection[],
  act = (_: readonly Connection[]) => {},
): Answer {
  const limit = ports.limits.clusterResultsMax
  const results = connections.slice(0, limit).map(({ id, member, userId, subscriptions }) => ({
    node: ports.node,
    id,
    member,
    ...(userId !== undefined && { user: userId }),
    channels: subscriptions.size,
  }))
  act(connections)
  return { results, truncated: connections.length > limit }
}
