import type { ChannelDefinition } from "../contract/index.ts"
import { decodeBody, encodeBody } from "../protocol/msgpack.ts"
import type { ChannelHandle, PublishOptions } from "./channel-handle.ts"
import type { Core } from "./core.ts"
import type { Dedupe, Entry } from "./log.ts"
import type { Target } from "./publisher.ts"
import { sendSignal } from "./signals.ts"

/** A channel for the server's own code. */
export function channelHandle(core: Core, target: Target): ChannelHandle<ChannelDefinition> {
  const { publisher } = core
  const { name: channel } = target
  return {
    name: channel,
    publish: async (name, data, options) => {
      const append = await publisher.event(target, name, data, dedupe(core, options, [name, data]))
      return append()
    },
    set: async (name, key, data, options) => {
      const append = await publisher.set(target, name, key, data, dedupe(core, options, [name, key, data]))
      return append()
    },
    delete: async (name, key, options) =>
      publisher.delete(target, name, key, dedupe(core, options, [name, key]))(),
    signal: (name, data) => sendSignal(core, target, name, data),
    state: async (name) =>
      valuesOf(await fold(core, channel, (entry) => entry.kind === "set" && entry.name === name)),
    members: async () => valuesOf(await fold(core, channel, (entry) => entry.kind === "join")),
    history: async ({ last }) => history(core, channel, last),
  }
}

function dedupe(
  core: Core,
  options: PublishOptions | undefined,
  content: readonly unknown[],
): Dedupe | undefined {
  if (options?.idempotencyKey === undefined) return undefined
  return {
    key: `server\n${options.idempotencyKey}`,
    fingerprint: core.entropy.digest(encodeBody(content)),
    windowMs: core.limits.idempotencyWindowMs,
  }
}

async function fold(core: Core, channel: string, wanted: (entry: Entry) => boolean): Promise<Entry[]> {
  const { top } = await core.log.head(channel)
  return read(core, channel, "fold", 0, top, wanted)
}

async function read(
  core: Core,
  channel: string,
  select: "all" | "fold",
  from: number,
  through: number,
  wanted: (entry: Entry) => boolean,
): Promise<Entry[]> {
  const found: Entry[] = []
  const { pageEntriesMax: entriesMax, pageBytesMax: bytesMax } = core.limits
  for (let after = from; after < through; ) {
    const page = await core.log.read(channel, { after, through, select, entriesMax, bytesMax })
    found.push(...page.entries.filter(wanted))
    after = page.next
  }
  return found
}

/** The types that the contract gives a payload end where it is kept as bytes, hence `never`. */
function valuesOf(entries: readonly Entry[]): Map<string, never> {
  return new Map(entries.map(({ key, body }) => [key, decodeBody(body) as never]))
}

async function history(core: Core, channel: string, last: number): Promise<never[]> {
  const { top } = await core.log.head(channel)
  const from = await core.log.offsetOfLast(channel, last)
  const events = await read(core, channel, "all", from, top, ({ kind }) => kind === "event")
  return events.map(({ name, body, offset, at }) => ({ name, data: decodeBody(body), offset, at })) as never[]
}
