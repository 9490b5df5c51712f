import type { Appended, AppendOptions, Draft, Entry, Log, LogKeep, Page, Range } from "../../log/log.ts"
import { assert } from "./assert.ts"

/** A log to be tested, and how to end it. */
export interface LogUnderTest {
  readonly log: Log
  /** For a log that outlives its process: closes it, and opens what it kept. */
  readonly reopen?: () => Promise<Log>
  /** Closes what is open and removes what was kept. */
  readonly destroy: () => Promise<void>
}

/** One statement about a log. `run` rejects when it does not hold. */
export interface LogCheck {
  readonly name: string
  readonly run: () => Promise<void>
}

/** Makes a check that gets a fresh log and destroys it afterwards. */
export type Check = (name: string, body: (log: Log, under: LogUnderTest) => Promise<void>) => LogCheck

/** Keeps everything. */
export const keepAll: Required<LogKeep> = { events: Infinity, forMs: Infinity, bytes: Infinity }

/** When the drafts of these checks are published, unless they say otherwise. */
export const AT = Date.UTC(2030, 0, 1)

export function event(text = "", at = AT): Draft {
  return { kind: "event", name: "said", key: "", body: bytesOf(text), at }
}

export function set(key: string, text = "", name = "price"): Draft {
  return { kind: "set", name, key, body: bytesOf(text), at: AT }
}

export function remove(key: string, name = "price"): Draft {
  return { kind: "delete", name, key, body: new Uint8Array(0), at: AT }
}

export function join(member: string, text = ""): Draft {
  return { kind: "join", name: "", key: member, body: bytesOf(text), at: AT }
}

export function left(member: string): Draft {
  return { kind: "left", name: "", key: member, body: new Uint8Array(0), at: AT }
}

/** Appends drafts one after another. Returns the entries that they became. */
export async function appendAll(
  log: Log,
  channel: string,
  drafts: readonly Draft[],
  keep: Partial<LogKeep> = {},
): Promise<Entry[]> {
  const entries: Entry[] = []
  for (const draft of drafts) {
    const { position } = await append(log, channel, draft, { keep: { ...keepAll, ...keep } })
    entries.push({ ...draft, offset: position.offset })
  }
  return entries
}

export function append(
  log: Log,
  channel: string,
  draft: Draft,
  options: Partial<AppendOptions> = {},
): Promise<Appended> {
  return log.append(channel, draft, { keep: keepAll, ...options })
}

/** One page, of everything unless the range says otherwise. */
export function readPage(log: Log, channel: string, range: Partial<Range> = {}): Promise<Page> {
  return log.read(channel, {
    after: 0,
    through: Number.MAX_SAFE_INTEGER,
    select: "all",
    entriesMax: 100_000,
    bytesMax: 1e9,
    ...range,
  })
}

/** Everything in the range, page by page, checking that each page keeps the port's promises. */
export async function readAll(log: Log, channel: string, range: Partial<Range> = {}): Promise<Entry[]> {
  const entries: Entry[] = []
  let after = range.after ?? 0
  for (;;) {
    const page = await readPage(log, channel, { ...range, after })
    const end = Math.min(range.through ?? Number.MAX_SAFE_INTEGER, page.head.top)
    for (const { offset } of page.entries) {
      assert(offset > after && offset <= end, `offset ${offset} is not in (${after}, ${end}] or out of order`)
      after = offset
    }
    entries.push(...page.entries)
    assert(page.next >= after, `next ${page.next} lies before the page's last entry ${after}`)
    if (page.entries.length === 0) {
      assert(page.next >= end, `an empty page's next is ${page.next}, though the range goes on to ${end}`)
    }
    if (page.next >= end) return entries
    after = page.next
  }
}

/** The texts of the bodies. */
export function textsOf(entries: readonly Entry[]): string[] {
  return entries.map(({ body }) => new TextDecoder().decode(body))
}

export function offsetsOf(entries: readonly Entry[]): number[] {
  return entries.map(({ offset }) => offset)
}

/** "0" up to, not including, `count`. */
export function numbers(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => String(from + index))
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Gives access to the log of the check, and destroys it when the check has ended, whether it holds or not. */
export function checksOf(make: () => Promise<LogUnderTest>): Check {
  return (name, body) => ({
    name,
    run: async () => {
      const under = await make()
      try {
        await body(under.log, under)
      } finally {
        await under.destroy()
      }
    },
  })
}
