import { setTimeout as sleep } from "node:timers/promises"
import { type Channel, type Client, type ConnectOptions, connect, type Position } from "holdfast/client"
import { WebSocket } from "ws"
import type { Placed } from "./account.ts"
import { type App, LOBBY, PATTERN, type RoomDefinition } from "./app.ts"

/** What a subscriber was given between two gaps. */
export interface Segment {
  readonly epoch: string
  /** What comes is behind it. */
  readonly from: number
  readonly entries: Placed[]
}

/** An event that was acknowledged. */
export interface Acknowledged extends Placed {
  readonly epoch: string
}

/** What passes when there is less to do. */
const BUSY = ["log_unavailable", "in_doubt", "timeout"]
const ENTER_PAUSE_MS = 500

/** What one client publishes to a room, and what it is given of it. */
export class Seat {
  readonly name: string
  readonly roomName: string
  readonly room: Channel<RoomDefinition>
  /** Gaps that were told, as text. */
  gaps: string[] = []
  acknowledged: Acknowledged[] = []
  published = 0
  /** The codes of those that failed. */
  refused: string[] = []
  #segments: Segment[] = []
  #pending = new Set<Promise<void>>()

  constructor(client: Client<App>, name: string, roomName: string) {
    this.name = name
    this.roomName = roomName
    this.room = client.channel(PATTERN, { room: roomName })
    this.room.on("said", ({ id }, { offset }) => {
      this.#segments.at(-1)?.entries.push({ id, offset })
    })
    this.room.onGap(({ reason, collections, from, to }) => {
      const what = `${reason} of ${collections?.join(" and ") ?? "all"}`
      this.gaps.push(`${what} from ${from.epoch}/${from.offset} to ${to.epoch}/${to.offset}`)
      // a gap of some collections leaves the cursor where it is
      if (collections === undefined) this.#begin(to)
    })
  }

  async ready(): Promise<void> {
    await this.room.ready()
    while (this.roomName !== LOBBY && !(await this.#enter())) await sleep(ENTER_PAUSE_MS)
    if (this.room.position !== undefined) this.#begin(this.room.position)
  }

  /** Its outcome is kept here; a publish always has one. */
  publish(id: string): void {
    this.published++
    this.#keep(
      this.room.publish("said", { id }).then(({ epoch, offset }) => {
        this.acknowledged.push({ id, epoch, offset })
      }),
    )
  }

  score(points: number): void {
    this.#keep(
      this.room
        .state("score")
        .set(this.name, { points })
        .then(() => undefined),
    )
  }

  /** Resolves when every publish so far has its outcome. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending)
  }

  /** What it was given since it was asked last; the last segment goes on. */
  takeSegments(): readonly Segment[] {
    const taken = this.#segments
    const last = taken.at(-1)
    const at = last?.entries.at(-1)?.offset ?? last?.from ?? 0
    this.#segments = last === undefined ? [] : [{ epoch: last.epoch, from: at, entries: [] }]
    return taken
  }

  /** What was counted until now has been accounted for. */
  begin(): void {
    this.gaps = []
    this.acknowledged = []
    this.refused = []
    this.published = 0
  }

  /** Whether it is in: many that come at once may be more than the engine answers in time. */
  async #enter(): Promise<boolean> {
    try {
      await this.room.presence.enter({ name: this.name })
      return true
    } catch (error) {
      if (!BUSY.includes((error as { readonly code?: string }).code ?? "")) throw error
      return false
    }
  }

  #begin({ epoch, offset }: Position): void {
    this.#segments.push({ epoch, from: offset, entries: [] })
  }

  #keep(outcome: Promise<void>): void {
    const kept = outcome
      .catch((error: { readonly code?: string }) => {
        this.refused.push(error.code ?? String(error))
      })
      .finally(() => this.#pending.delete(kept))
    this.#pending.add(kept)
  }
}

export type Transports = NonNullable<ConnectOptions["transports"]>

/** A client of its own, with a seat in each of some rooms. */
export class Participant {
  readonly client: Client<App>
  readonly seats: readonly Seat[]
  /** How often it had to connect again. */
  reconnects = -1

  constructor(url: string, name: string, rooms: readonly string[], transports: Transports) {
    this.client = connect<App>(url, { WebSocket, transports, backoff: { minMs: 50, maxMs: 1_000 } })
    // that connecting fails now and then is what is wanted here
    this.client.on("error", () => undefined)
    this.client.on("status", (status) => {
      if (status === "open") this.reconnects++
    })
    this.seats = rooms.map((room) => new Seat(this.client, name, room))
  }
}
