import type { ChannelDefinition } from "../contract/index.ts"
import type { Entry } from "../log/entry.ts"
import type { Dedupe } from "../log/operation.ts"
import { decodeBody, encodeBody } from "../protocol/msgpack.ts"
import { entries } from "./channel/entries.ts"
import { EVENTS, PRESENCE, stateCollection } from "./channel/facets.ts"
import type { ChannelHandle, PublishOptions } from "./channel-handle.ts"
import { revokeEverywhere } from "./cluster/cluster.ts"
import type { Core } from "./core.ts"
import { memberData } from "./presence/membership.ts"
import { dedupe } from "./publish/dedupe.ts"
import type { Target } from "./target.ts"

/** A channel for the server's own code. */
export function channelHandle(core: Core, target: Target): ChannelHandle<ChannelDefinition> {
  const { publisher } = core
  const { name: channel } = target
  const fold = (collection: string, wanted: (entry: Entry) => boolean = () => true) =>
    entries(core, channel, { after: 0, select: "fold", collections: [collection] }, wanted)
  return {
    name: channel,
    publish: async (name, data, options) => {
      const append = await publisher.event(target, name, data, dedupeOf(core, options, [name], data))
      return append()
    },
    set: async (name, key, data, options) => {
      const append = await publisher.set(target, name, key, data, dedupeOf(core, options, [name, key], data))
      return append()
    },
    delete: async (name, key, options) =>
      publisher.delete(target, name, key, dedupeOf(core, options, [name, key]))(),
    signal: (name, data) => core.signals.send(target, name, data),
    state: async (name) => byKey(await fold(stateCollection(name)), decodeBody),
    members: async () => byKey(await fold(PRESENCE, (entry) => !core.members.isOrphan(entry)), memberData),
    revoke: (user, reason = "the permission was taken away") => revokeEverywhere(core, channel, user, reason),
    history: async ({ last }) => history(core, channel, last),
  }
}

function dedupeOf(
  core: Core,
  options: PublishOptions | undefined,
  names: readonly string[],
  data?: unknown,
): Dedupe | undefined {
  if (options?.idempotencyKey === undefined) return undefined
  const asked = data === undefined ? names : [...names, encodeBody(data)]
  return dedupe(core, ["server"], options.idempotencyKey, asked)
}

/** The types that the contract gives a payload end where it is kept as bytes, hence `never`. */
function byKey(found: readonly Entry[], value: (body: Uint8Array) => unknown): Map<string, never> {
  return new Map(found.map(({ key, body }) => [key, value(body) as never]))
}

async function history(core: Core, channel: string, last: number): Promise<never[]> {
  const after = await core.log.offsetOfLast(channel, EVENTS, last)
  const collections = [EVENTS]
  const events = await entries(core, channel, { after, select: "all", collections }, () => true)
  // more than asked for if the log began anew in between
  const latest = events.slice(Math.max(0, events.length - last))
  return latest.map(({ key: name, body, offset, at }) => ({
    name,
    data: decodeBody(body),
    offset,
    at,
  })) as never[]
}
