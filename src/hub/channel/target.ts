import type { ChannelMatch } from "../../contract/index.ts"

/** A channel by its name, and what the contract says of it. */
export interface Target {
  readonly name: string
  readonly match: ChannelMatch
}
