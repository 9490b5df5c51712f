import type { Connection } from "../connection/connection.ts"
import { sendAway } from "../connection/departure.ts"
import { handOver } from "../connection/drain.ts"
import type { Core } from "../core.ts"
import { revoke } from "../handlers/subscribe.ts"
import type { Answer, Cluster, ClusterConnection, Disconnection, Gathered } from "./cluster-answers.ts"

type Question =
  | { readonly type: "nodes" }
  | { readonly type: "connections"; readonly user?: string }
  | {
      readonly type: "disconnect"
      readonly user: string
      readonly reason: string
      readonly reconnect: boolean
    }
  | { readonly type: "revoke"; readonly user: string; readonly channel: string; readonly reason: string }

export function clusterOf(core: Core): Cluster {
  return {
    nodes: () => gather(core, { type: "nodes" }),
    connections: ({ user } = {}) =>
      gather(core, { type: "connections", ...(user !== undefined && { user: `${user}` }) }),
  }
}

/** Ends a user's connections at every node. The results name them. */
export function disconnect(
  core: Core,
  { user, reason, reconnect }: Disconnection,
): Promise<Gathered<ClusterConnection>> {
  return gather(core, { type: "disconnect", user: `${user}`, reason, reconnect })
}

/** Ends a user's subscriptions to a channel, and its presence there, at every node. The results name its connections. */
export function revokeEverywhere(
  core: Core,
  channel: string,
  user: string | number,
  reason: string,
): Promise<Gathered<ClusterConnection>> {
  return gather(core, { type: "revoke", channel, user: `${user}`, reason })
}

function gather<T>(core: Core, question: Question): Promise<Gathered<T>> {
  return core.neighbours.gather<T>(question)
}

/** What this node does about a question, whoever asks, and says. */
export function answerTo(core: Core, asked: unknown): Answer {
  const question = asked as Question
  switch (question.type) {
    case "nodes": {
      const { connections, channels } = core
      const node = { node: core.node, connections: connections.size, channels: channels.size }
      return { results: [node], truncated: false }
    }
    case "connections":
      return told(core, connectionsOf(core, question.user))
    case "disconnect": {
      const { user, reason, reconnect } = question
      return told(core, connectionsOf(core, user), (connection) => {
        if (reconnect) handOver(core, connection, reason, 0)
        else sendAway(connection, reason, false, "disconnected")
      })
    }
    case "revoke": {
      const { user, channel, reason } = question
      const concerned = connectionsOf(core, user).filter(
        ({ subscriptions, entered }) => subscriptions.has(channel) || entered?.has(channel) === true,
      )
      const answer = told(core, concerned, (connection) => revoke(core, connection, channel, reason))
      // those too whose client is between two requests
      core.members.removeUser(channel, user)
      return answer
    }
    default:
      // of a newer node
      return { results: [], truncated: false }
  }
}

function connectionsOf(core: Core, user: string | undefined): Connection[] {
  return [...core.connections].filter(
    ({ state, userId }) => state === "open" && (user === undefined || userId === user),
  )
}

/** Does something about connections, and says which: bounded, however many they are. */
function told(core: Core, connections: readonly Connection[], act = (_: Connection) => {}): Answer {
  const limit = core.limits.clusterResultsMax
  const results = connections.slice(0, limit).map(({ id, member, userId, subscriptions }) => ({
    node: core.node,
    id,
    member,
    ...(userId !== undefined && { user: userId }),
    channels: subscriptions.size,
  }))
  for (const connection of connections) act(connection)
  return { results, truncated: connections.length > limit }
}
