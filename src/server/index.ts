export type { ChannelHandle, PastEvent, PublishOptions } from "../hub/api/channel-handle.ts"
export type { ChannelHandlers, Context, Credentials, Fail, HubOptions } from "../hub/api/options.ts"
export type {
  Cluster,
  ClusterConnection,
  ClusterNode,
  Disconnection,
  Gathered,
} from "../hub/cluster/cluster-answers.ts"
export type { ConnectedClient, Departure } from "../hub/connection/departure.ts"
export type { GivenLimits, Limits } from "../hub/limits.ts"
export type { Logger } from "../hub/ports/logger.ts"
export type { Bus } from "../log/bus.ts"
export type { Entry, EntryOperation } from "../log/entry.ts"
export type { BackPage, BackRange, Batch, Head, Log, Page, Range } from "../log/log.ts"
export type {
  Account,
  Append,
  AppendOptions,
  Condition,
  Dedupe,
  Extend,
  Operation,
  Outcome,
  Put,
  Remove,
  Retention,
} from "../log/operation.ts"
export { type MemoryLogOptions, memoryLog } from "../logs/memory/index.ts"
export { decodeBody } from "../protocol/body.ts"
export { HoldfastError } from "../protocol/error.ts"
export type { ErrorCode } from "../protocol/error-codes.ts"
export type { Position } from "../protocol/position.ts"
export type { DrainOptions } from "./drain.ts"
export type { Health, HealthPaths, HealthReason } from "./http/health.ts"
export type { Origins } from "./http/origin.ts"
export type { ServerLimits } from "./limits.ts"
export { createHub } from "./node/create-hub.ts"
export { type Drainable, type DrainOnSignalsOptions, drainOnSignals } from "./node/drain-on-signals.ts"
export type { Hub, Listening, ListenOptions } from "./node/hub.ts"
export type { CreateHubOptions } from "./node/options.ts"
export type { UpgradeServer } from "./node/upgrade-routes.ts"
export { type WorkersOptions, workers } from "./node/workers.ts"
export type { RawMessage, RawSocket } from "./raw/raw-socket.ts"
export type { RawHandler, RawOptions } from "./raw/raw-upgrade.ts"
export type { Compression, CompressionOptions } from "./websocket/compression.ts"
