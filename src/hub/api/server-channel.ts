import type { ChannelDefinition } from "../../contract/index.ts"
import type { Entry } from "../../log/entry.ts"
import type { Log } from "../../log/log.ts"
import { decodeBody } from "../../protocol/body.ts"
import type { Position } from "../../protocol/position.ts"
import { entries } from "../channel/entries.ts"
import { EVENTS, PRESENCE, stateCollection } from "../channel/facets.ts"
import { decodeMember } from "../channel/member-entry.ts"
import type { Target } from "../channel/target.ts"
import type { ClusterConnection, Gathered } from "../cluster/cluster-answers.ts"
import type { Limits } from "../limits.ts"
import type { Authors } from "../publish/author.ts"
import type { Eventual } from "../publish/eventual.ts"
import type { Append, Publisher } from "../publish/publisher.ts"
import type { Signals } from "../publish/signals.ts"
import type { ChannelHandle } from "./channel-handle.ts"

export interface ServerChannelPorts {
  readonly publisher: Publisher
  readonly authors: Authors
  readonly signals: Signals
  readonly log: Log
  readonly limits: Limits
  /** Ends a user's subscriptions to a channel, and its presence there, at every node. */
  readonly revoke: (
    channel: string,
    user: string | number,
    reason: string,
  ) => Promise<Gathered<ClusterConnection>>
}

/**
 * A channel for the server's own code. `check` throws when its holder may not publish any more. Payloads are taken in the turn of the call, unless their schema is
 * asynchronous.
 */
export function serverChannel(
  ports: ServerChannelPorts,
  target: Target,
  check: () => void = () => {},
): ChannelHandle<ChannelDefinition> {
  const { publisher, authors, signals, revoke } = ports
  const { name: channel } = target
  const fold = (collection: string) =>
    entries(ports, channel, { after: 0, select: "fold", collections: [collection] }, () => true)
  const appended = (append: Append) => {
    check()
    return append()
  }
  /** Appends in this turn if it can. Rejects instead of throwing; an async function would cost another promise. */
  const run = (ready: () => Eventual<Append>): Promise<Position> => {
    try {
      const append = ready()
      return append instanceof Promise ? append.then(appended) : appended(append)
    } catch (error) {
      return Promise.reject(error)
    }
  }
  return {
    name: channel,
    publish: (name, data, options) =>
      run(() => {
        const author = authors.server(options?.idempotencyKey, { type: "publish", name, data })
        return publisher.event(target, name, data, author)
      }),
    set: (name, key, data, options) =>
      run(() => {
        const author = authors.server(options?.idempotencyKey, { type: "set", name, key, data })
        return publisher.set(target, name, key, data, author)
      }),
    delete: (name, key, options) =>
      run(() => {
        const author = authors.server(options?.idempotencyKey, { type: "delete", name, key })
        return publisher.delete(target, name, key, author)
      }),
    signal: async (name, data) => {
      check()
      await signals.send(target, name, data)
    },
    state: async (name) => byKey(await fold(stateCollection(name)), decodeBody),
    members: async () => byKey(await fold(PRESENCE), (body) => decodeBody(decodeMember(body).data)),
    users: async () => byUser(await fold(PRESENCE)),
    revoke: (user, reason = "the permission was taken away") => revoke(channel, user, reason),
    history: async ({ last }) => history(ports, channel, last),
  }
}

/** The types that the contract gives a payload end where it is kept as bytes, hence `never`. */
function byKey(found: readonly Entry[], value: (body: Uint8Array) => unknown): Map<string, never> {
  return new Map(found.map(({ key, body }) => [key, value(body) as never]))
}

/** A member whose user has no id is a user of its own. */
function byUser(found: readonly Entry[]): Map<string, Map<string, never>> {
  const users = new Map<string, Map<string, never>>()
  for (const { key: member, body } of found) {
    const { user = member, data } = decodeMember(body)
    const members = users.get(user) ?? new Map<string, never>()
    users.set(user, members.set(member, decodeBody(data) as never))
  }
  return users
}

async function history(
  ports: Pick<ServerChannelPorts, "log" | "limits">,
  channel: string,
  last: number,
): Promise<never[]> {
  const after = await ports.log.offsetOfLast(channel, EVENTS, last)
  const collections = [EVENTS]
  const events = await entries(ports, channel, { after, select: "all", collections }, () => true)
  // more than asked for if the log began anew in between
  const latest = events.slice(Math.max(0, events.length - last))
  return latest.map(({ key: name, body, offset, at }) => ({
    name,
    data: decodeBody(body),
    offset,
    at,
  })) as never[]
}
