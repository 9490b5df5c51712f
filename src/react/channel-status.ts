import type { AnyDefinition } from "../client/channel.ts"
import type { Channel, GapChange, SubscriptionStatus } from "../client/index.ts"
import { type Batch, View } from "./view.ts"

/** How a channel stands. */
export interface ChannelStatus {
  /** `subscribing` until it is `live`, and while the connection is lost; `refused` or `closed` by the server. */
  readonly status: Exclude<SubscriptionStatus, "idle">
  /** Why it was refused or closed, or why its presence could not be entered: a `HoldfastError` with a code. */
  readonly error: CodedError | undefined
  /** What was missed last and can no longer be had. */
  readonly gap: GapChange | undefined
}

export type CodedError = Error & { readonly code?: string }

export const STATUS_AT_FIRST: ChannelStatus = { status: "subscribing", error: undefined, gap: undefined }
export const STATUS_CLOSED: ChannelStatus = { ...STATUS_AT_FIRST, status: "closed" }

/** A channel's status, and how to tell an error beside. */
export interface StatusView {
  readonly view: View<ChannelStatus>
  readonly fail: (error: CodedError) => void
}

/** Hears of the channel's errors from now on. Before, they are told as errors that nobody listens to. */
export function channelStatus(channel: Channel<AnyDefinition>, batch: Batch): StatusView {
  const { status } = channel
  let shown = status === "idle" ? STATUS_AT_FIRST : { ...STATUS_AT_FIRST, status }
  const view = new View(batch, () => shown)
  const become = (change: Partial<ChannelStatus>) => {
    shown = { ...shown, ...change }
    view.touch()
  }
  channel.onStatus((status, error) => {
    if (status !== "idle") become({ status, error })
  })
  channel.onError((error) => become({ error }))
  channel.onGap((gap) => become({ gap }))
  return { view, fail: (error) => become({ error }) }
}
