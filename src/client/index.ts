export { HoldfastError } from "../protocol/error.ts"
export type { GapReason, History } from "../protocol/message.ts"
export type { Position } from "../protocol/position.ts"
export type { Backoff } from "./backoff.ts"
export type { CallOptions, Channel, ChannelEntry, ChannelEvent, ChannelOptions, Follow } from "./channel.ts"
export type { Clock } from "./clock.ts"
export { type Client, type ConnectOptions, connect } from "./connect.ts"
export type { ConnectionStatus } from "./connection.ts"
export type { Device, DeviceEvents } from "./device.ts"
export type { Entropy } from "./entropy.ts"
export type { Follower } from "./follow.ts"
export type { Member } from "./members.ts"
export type { OutboxStore, OutboxStorePorts } from "./outbox-store.ts"
export type { PresenceView } from "./presence-view.ts"
export type { PublishOptions } from "./publish-options.ts"
export type { StateView } from "./state-view.ts"
export type {
  ChannelStats,
  EventMeta,
  GapChange,
  SignalMeta,
  StateChange,
  SubscriptionStatus,
} from "./subscription.ts"
export type { Line, LineEvents, Transport, Wire } from "./transport.ts"
export type { WebSocketConstructor, WebSocketLike } from "./websocket.ts"
