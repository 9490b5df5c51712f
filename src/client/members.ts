import type { Joined } from "../protocol/message.ts"

/** A client that is present, as others see it. */
export interface Member<Data> {
  /** Its public name. */
  readonly member: string
  /** The id of its user, if that has one. */
  readonly user: string | undefined
  readonly data: Data
}

/** An entry of the log about a member, as far as it is needed here. */
type JoinEntry = Pick<Joined, "member" | "user" | "data">

/** What became of a member. */
export type MemberChange =
  | { readonly type: "join" | "left"; readonly told: readonly [Member<unknown>] }
  | { readonly type: "update"; readonly told: readonly [Member<unknown>, Member<unknown>] }

/** The members of a channel, by the entries of its log. */
export class Members {
  /** By member. Changes in place. */
  readonly data = new Map<string, unknown>()
  readonly #entries = new Map<string, JoinEntry>()
  #users: Map<string, Map<string, unknown>> | undefined

  /** By the id of the user, or by the member where it has none; then by member. */
  get users(): ReadonlyMap<string, ReadonlyMap<string, unknown>> {
    if (!this.#users) {
      this.#users = new Map()
      for (const { member, user = member, data } of this.#entries.values()) {
        const members = this.#users.get(user) ?? new Map()
        this.#users.set(user, members.set(member, data))
      }
    }
    return this.#users
  }

  /** @param entry undefined when it has left */
  set(name: string, entry: JoinEntry | undefined): MemberChange | undefined {
    const before = this.#entries.get(name)
    // offsets tell nothing here: in another epoch they begin anew
    if (isSame(before, entry)) return undefined
    this.#users = undefined
    if (entry) {
      this.#entries.set(name, entry)
      this.data.set(name, entry.data)
    } else {
      this.#entries.delete(name)
      this.data.delete(name)
    }
    if (entry && before) return { type: "update", told: [memberOf(entry), memberOf(before)] }
    return { type: entry ? "join" : "left", told: [memberOf((entry ?? before) as JoinEntry)] }
  }

  /** Puts others in the place of all. */
  replace(entries: ReadonlyMap<string, JoinEntry>): MemberChange[] {
    const names = new Set([...this.#entries.keys(), ...entries.keys()])
    return [...names].flatMap((name) => this.set(name, entries.get(name)) ?? [])
  }
}

/** Data has what JSON has, and bytes, whose JSON tells them apart too. */
function isSame(before: JoinEntry | undefined, entry: JoinEntry | undefined): boolean {
  return before && entry
    ? before.user === entry.user && JSON.stringify(before.data) === JSON.stringify(entry.data)
    : before === entry
}

function memberOf({ member, user, data }: JoinEntry): Member<unknown> {
  return { member, user, data }
}
