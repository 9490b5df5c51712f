export type { ChannelHandle } from "./channel-handle.ts"
export type { ChannelStatus } from "./channel-status.ts"
export {
  type Connection,
  createHooks,
  type Hooks,
  type HooksOptions,
  type ProviderProps,
} from "./create-hooks.ts"
export type { ListedEvent } from "./event-list.ts"
export type { ConnectionInfo } from "./source.ts"
export { type EventsOptions, useEvents } from "./use-events.ts"
export { usePresence } from "./use-presence.ts"
export { type SignalOptions, useSignal } from "./use-signal.ts"
export { useStateMap } from "./use-state-map.ts"
export { useStatus } from "./use-status.ts"
