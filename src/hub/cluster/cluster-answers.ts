/** What one node says of a question. */
export interface Answer {
  readonly results: readonly unknown[]
  /** There were more than it may say. */
  readonly truncated: boolean
}

/** What the nodes said of a question. */
export interface Gathered<T> {
  readonly results: readonly T[]
  /** Nodes that did not answer in time: nothing is known of them. */
  readonly missing: readonly string[]
  /** Some node had more results than it may tell. */
  readonly truncated: boolean
}

/** A node of those that share a log. */
export interface ClusterNode {
  readonly node: string
  readonly connections: number
  /** Channels that somebody there subscribes to. */
  readonly channels: number
  /** Whether it sends its clients away. */
  readonly draining: boolean
}

/** A connection at any node. */
export interface ClusterConnection {
  readonly node: string
  readonly id: string
  readonly member: string
  /** The `id` of its user, if that has one. */
  readonly user: string | undefined
  readonly channels: number
}

/**
 * All nodes that share the log. Each question takes at most `clusterTimeoutMs`, at a node that has just been started twice as long, and says who
 * did not answer.
 * @throws HoldfastError `log_unavailable` when it cannot be known which nodes there are: only this one was asked
 */
export interface Cluster {
  readonly nodes: () => Promise<Gathered<ClusterNode>>
  /** The connections of a user, or of everybody: at most `clusterResultsMax` of each node. */
  readonly connections: (of?: { readonly user?: string | number }) => Promise<Gathered<ClusterConnection>>
}

/** Whose connections are ended, and how. */
export interface Disconnection {
  /** The `id` of the user. */
  readonly user: string | number
  /** For people. */
  readonly reason: string
  /** Whether they come back by themselves, and are authenticated anew. */
  readonly reconnect: boolean
}
