import { type Channel, type Client, connect, type History } from "holdfast/client"
import { onTestFinished } from "vitest"
import { WebSocket } from "ws"
import type { Account, Placed } from "../../chaos/account.ts"
import { type app, PARAMS, PATTERN } from "./app.ts"

type Room = Channel<(typeof app)["channels"][typeof PATTERN]>

/** Clients that all publish to one room, read all of it, and keep account of both. */
export class Crowd {
  readonly members: readonly Member[]
  /** Called with the number of acknowledgements so far. */
  handleAcknowledged: (count: number) => void = () => undefined
  #published: string[] = []
  #acknowledged: Placed[] = []

  constructor(url: string, size: number) {
    this.members = Array.from({ length: size }, (_, index) => new Member(url, `client ${index}`))
  }

  /** Resolves when all have subscribed. */
  async ready(): Promise<void> {
    await Promise.all(this.members.map(({ room }) => room.ready()))
  }

  /** Resolves when all are in the room and see each other there. */
  async enter(): Promise<void> {
    await this.ready()
    await Promise.all(this.members.map((member) => member.enter()))
    await this.seeEachOther()
  }

  /** Resolves when each sees exactly all of them. */
  async seeEachOther(): Promise<void> {
    await this.see(this.members)
  }

  /** Resolves when each sees exactly these. */
  async see(present: readonly Member[]): Promise<void> {
    const names = present.map(({ name }) => name)
    await Promise.all(this.members.map((member) => member.sees(names)))
  }

  /** Publishes `count` events, as many by each client, all at once. Resolves when all are acknowledged. */
  async publish(round: number, count: number): Promise<void> {
    const publishes: Promise<void>[] = []
    for (let number = 0; number < count; number++) {
      const member = this.members[number % this.members.length] as Member
      const id = `${round}/${number}`
      this.#published.push(id)
      publishes.push(
        member.publish(id).then((offset) => {
          this.#acknowledged.push({ id, offset })
          this.handleAcknowledged(this.#acknowledged.length)
        }),
      )
    }
    await Promise.all(publishes)
  }

  /** Resolves when each was given what is in the log up to `offset`. */
  async reach(offset: number): Promise<void> {
    await Promise.all(this.members.map((member) => member.reach(offset)))
  }

  /** What they saw since they were asked last, beside what the log says. */
  takeAccount(log: readonly Placed[]): Account {
    const account = {
      log,
      published: this.#published,
      acknowledged: this.#acknowledged,
      delivered: new Map(this.members.map((member) => [member.name, member.takeDelivered()])),
    }
    this.#published = []
    this.#acknowledged = []
    return account
  }

  close(): void {
    for (const { client } of this.members) client.close()
  }
}

export class Member {
  readonly name: string
  readonly client: Client<typeof app>
  readonly room: Room
  /** Who was seen to leave. */
  readonly departures: string[] = []
  #present: readonly string[] = []
  #delivered: Placed[] = []
  #handleDelivery: () => void = () => undefined

  constructor(url: string, name: string, history?: History) {
    this.name = name
    // Nobody waits: the server comes back within a second or two, and they shall meet it as soon as it does.
    this.client = connect<typeof app>(url, { WebSocket, backoff: { minMs: 20, maxMs: 100 } })
    onTestFinished(() => this.client.close())
    // That attempts to connect fail while there is no server is what is wanted here.
    this.client.on("error", () => undefined)
    this.room = this.client.channel(PATTERN, PARAMS, history === undefined ? {} : { history })
    this.room.on("said", ({ id }, { offset }) => {
      this.#delivered.push({ id, offset })
      this.#handleDelivery()
    })
    this.room.presence.onChange((members) => {
      const present = [...members.values()].map(({ name }) => name)
      this.departures.push(...this.#present.filter((before) => !present.includes(before)))
      this.#present = present
    })
  }

  async enter(): Promise<void> {
    await this.room.presence.enter({ name: this.name })
  }

  async publish(id: string): Promise<number> {
    const { offset } = await this.room.publish("said", { id, text: "What is kept is kept." })
    return offset
  }

  /** Resolves when those present are those with these names. */
  sees(names: readonly string[]): Promise<void> {
    const expected = [...names].sort().join()
    return new Promise((resolve) => {
      const look = () => {
        const present = [...this.room.presence.members.values()].map(({ name }) => name)
        if (present.sort().join() !== expected) return
        off()
        resolve()
      }
      const off = this.room.presence.onChange(look)
      look()
    })
  }

  reach(offset: number): Promise<void> {
    return new Promise((resolve) => {
      this.#handleDelivery = () => {
        // The last of the log may be somebody's coming or going, which is no event.
        if ((this.#delivered.at(-1)?.offset ?? 0) >= offset) resolve()
      }
      this.#handleDelivery()
    })
  }

  takeDelivered(): Placed[] {
    const delivered = this.#delivered
    this.#delivered = []
    return delivered
  }
}
