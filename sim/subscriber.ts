import type { GapReason, History, Position } from "holdfast/client"
import type { Stamp } from "./app.ts"

/** What a subscriber holds: of each key of a state, and of each member, the operation that its value comes from, by place. */
export type Held = ReadonlyMap<string, string>

/** What a subscriber was told, and where it stood and what it held then. */
export type Told = {
  readonly position: Position | undefined
  /** Only of channels with keys. */
  readonly held: Held | undefined
  readonly atMs: number
} & (
  | { readonly type: "status"; readonly status: string }
  | {
      readonly type: "event"
      readonly offset: number
      readonly data: Stamp
      readonly at: number
      readonly replayed: boolean
    }
  | {
      readonly type: "gap"
      readonly reason: GapReason
      readonly collections: readonly string[] | undefined
      readonly from: Position
      readonly to: Position
    }
  | { readonly type: "state"; readonly place: string; readonly value: Stamp | undefined }
  | { readonly type: "members" }
)

/** One channel as one client held it, from opening to closing. */
export interface Subscriber {
  readonly client: string
  readonly channel: string
  readonly history: History | undefined
  readonly openedAtMs: number
  readonly told: Told[]
  /** Where it stands now, or stood when it was closed. */
  readonly standing: () => Standing
  /** What it holds now, or held when it was closed. */
  readonly view: () => SubscriberView
}

export interface Standing {
  readonly open: boolean
  readonly status: string
  readonly position: Position | undefined
}

export interface SubscriberView extends Standing {
  readonly held: Held
  /** What `follow` folds to, if it is used: of states, the operation by place; of what the server loads, the ids. */
  readonly followed: ReadonlyMap<string, string> | undefined
}
