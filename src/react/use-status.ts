import type { ChannelDefinition } from "../contract/index.ts"
import { BINDING, type ChannelHandle } from "./channel-handle.ts"
import { type ChannelStatus, STATUS_AT_FIRST, STATUS_CLOSED } from "./channel-status.ts"
import { useView } from "./use-view.ts"

/**
 * Whether the channel is live, or refused and why, and what was missed last. Without it, a refusal is an `error` of the
 * client, and thrown where no `catch` gets it if nobody listens to that either.
 */
export function useStatus<D extends ChannelDefinition>(channel: ChannelHandle<D>): ChannelStatus {
  const first = channel[BINDING].isClosed() ? STATUS_CLOSED : STATUS_AT_FIRST
  return (useView(channel, { of: "status" }) ?? first) as ChannelStatus
}
