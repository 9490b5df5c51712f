import type { ChannelDefinition, Contract } from "../contract/index.ts"
import type { Log } from "../log/log.ts"
import type { CatchUp } from "./channel/catch-up.ts"
import type { Channels } from "./channel/channels.ts"
import type { ChannelHandle } from "./channel-handle.ts"
import type { Neighbours } from "./cluster/neighbours.ts"
import type { Connections } from "./connection/connections.ts"
import type { LogState } from "./connection/log-state.ts"
import type { Limits } from "./limits.ts"
import type { Logger } from "./options.ts"
import type { Clock } from "./ports/clock.ts"
import type { Entropy } from "./ports/entropy.ts"
import type { Members } from "./presence/members.ts"
import type { Publisher } from "./publish/publisher.ts"
import type { Signals } from "./publish/signals.ts"
import type { Target } from "./target.ts"

/** A handler as the hub calls it: the types that the contract gives it end where the wire begins. */
export type Handler = (context: object) => unknown

/** `ChannelHandlers`, untyped. */
export interface Handlers {
  readonly subscribe?: true | Handler
  readonly presence?: Handler
  readonly snapshot?: Handler
  readonly events?: Readonly<Record<string, Handler>>
  readonly state?: Readonly<Record<string, Handler>>
  readonly delete?: Readonly<Record<string, Handler>>
  readonly signals?: Readonly<Record<string, Handler>>
  readonly calls?: Readonly<Record<string, Handler>>
}

/** The parts of a hub, as they see each other. */
export interface Core {
  readonly contract: Contract
  readonly handlers: Readonly<Record<string, Handlers>>
  readonly authenticate:
    | ((credentials: { token: string | undefined; request: unknown }) => unknown)
    | undefined
  readonly limits: Limits
  readonly clock: Clock
  readonly entropy: Entropy
  readonly log: Log
  readonly logState: LogState
  readonly logger: Logger
  readonly channels: Channels
  readonly catchUp: CatchUp
  readonly connections: Connections
  readonly members: Members
  readonly publisher: Publisher
  readonly signals: Signals
  /** This node's name, another one in each of its lives. */
  readonly node: string
  readonly neighbours: Neighbours
  readonly handle: (target: Target) => ChannelHandle<ChannelDefinition>
}
