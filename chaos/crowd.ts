import type { Seeded } from "holdfast/testing"
import { LOBBY } from "./app.ts"
import { Participant, type Seat, type Transports } from "./participant.ts"

/** Beside the room for all, there are some for a few. */
const CLIENTS_PER_ROOM = 15

/** In turn: most choose for themselves. */
const TRANSPORTS: readonly Transports[] = [
  ["websocket", "sse", "poll"],
  ["websocket"],
  ["websocket", "sse", "poll"],
  ["sse"],
  ["websocket", "sse", "poll"],
  ["poll"],
]

/** All clients: each in the lobby and in one room, where it publishes, sets its score, and is present. */
export class Crowd {
  readonly participants: readonly Participant[]
  readonly seatsByRoom: ReadonlyMap<string, readonly Seat[]>
  readonly #chance: Seeded
  #published = 0

  constructor(url: string, size: number, chance: Seeded) {
    const rooms = Math.max(1, Math.round(size / CLIENTS_PER_ROOM))
    this.#chance = chance
    this.participants = Array.from({ length: size }, (_, index) => {
      const transports = TRANSPORTS[index % TRANSPORTS.length] as Transports
      return new Participant(url, `client ${index}`, [LOBBY, `room ${index % rooms}`], transports)
    })
    const seatsByRoom = new Map<string, Seat[]>()
    for (const seat of this.#seats()) {
      const { roomName } = seat
      seatsByRoom.set(roomName, [...(seatsByRoom.get(roomName) ?? []), seat])
    }
    this.seatsByRoom = seatsByRoom
  }

  get published(): number {
    return this.#published
  }

  /** How many are connected, by transport. */
  get connected(): ReadonlyMap<string, number> {
    const connected = new Map<string, number>()
    for (const { client } of this.participants) {
      const name = client.status === "open" ? `${client.transport}` : "not connected"
      connected.set(name, (connected.get(name) ?? 0) + 1)
    }
    return connected
  }

  async ready(): Promise<void> {
    await Promise.all(this.#seats().map((seat) => seat.ready()))
  }

  /** One publish by anybody, and now and then a score. */
  publishOne(): void {
    const { seats } = this.#chance.pick(this.participants)
    // what is said in the lobby goes to everybody: seldom
    const seat = seats[this.#chance.chance(0.1) ? 0 : 1] as Seat
    seat.publish(this.#nextId())
    if (this.#chance.chance(0.2)) seat.score(this.#published)
  }

  /** One publish in every room, so that every log moves. */
  publishEverywhere(): void {
    for (const [seat] of this.seatsByRoom.values()) (seat as Seat).publish(this.#nextId())
  }

  isKnown(id: string): boolean {
    return Number(id) < this.#published
  }

  async settled(): Promise<void> {
    await Promise.all(this.#seats().map((seat) => seat.settled()))
  }

  /** Where everybody stands and how many each sees, as text. */
  situation(): string {
    const place = ({ room: { position, presence } }: Seat) =>
      `${position?.epoch}/${position?.offset} ${presence.members.size}`
    return this.#seats().map(place).join()
  }

  close(): void {
    for (const { client } of this.participants) client.close()
  }

  #nextId(): string {
    return String(this.#published++)
  }

  #seats(): Seat[] {
    return this.participants.flatMap(({ seats }) => seats)
  }
}
