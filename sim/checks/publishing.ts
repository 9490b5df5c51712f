import { EVENTS, isState } from "../collections.ts"
import { type Check, type Evidence, foldOf } from "../evidence.ts"
import type { Ledger } from "../ledger.ts"
import { lossesOf } from "../losses.ts"
import { codeOf, type Operation, positionOf } from "../operation.ts"
import { stampOf } from "../stamp.ts"
import { type TrueEntry, topOf } from "../truth.ts"
import { mayBeSpent } from "./quotas.ts"

/** What an operation may fail with while the network and the log break. */
const FAILURES: Readonly<Record<Operation["kind"], readonly string[]>> = {
  event: ["log_unavailable", "closed", "outbox_full", "in_doubt"],
  set: ["log_unavailable", "closed", "outbox_full", "in_doubt"],
  delete: ["log_unavailable", "closed", "outbox_full", "in_doubt"],
  enter: ["closed", "outbox_full"],
  leave: ["closed", "outbox_full"],
  call: ["connection_lost", "timeout", "closed", "outbox_full"],
}

/** What an operation of presence may fail with only when something else was asked for since: otherwise it is asked again. */
const PASSING = ["superseded", "version_ahead", "log_unavailable", "in_doubt"]

/** The part of the idempotency window that has to be over before something is in doubt: see docs/client.md. */
const IN_DOUBT_PART = 0.8

export const checkSettled: Check = (evidence) => {
  const { ledger, profile, truth } = evidence
  const inDoubtMs = IN_DOUBT_PART * (profile.limits.idempotencyWindowMs ?? Number.POSITIVE_INFINITY)
  return ledger.operations.flatMap((operation) => {
    const { id, kind, sequence, outcome } = operation
    if (outcome === undefined) return [`settles: ${kind} ${id} never did`]
    const code = codeOf(operation)
    if (code === "quota_exceeded")
      return mayBeSpent(evidence, operation) ? [] : [`quotas: ${id} was refused, and nothing is spent`]
    const isPassed = () => PASSING.includes(code as string) && isFollowed(operation, ledger)
    if (code !== undefined && !FAILURES[kind].includes(code) && !isPassed())
      return [`settles: ${kind} ${id} with ${code}`]
    const tookMs = (operation.settledAtMs ?? 0) - operation.startedAtMs
    // or the log has refused it, and taken what came behind it
    if (code === "in_doubt" && tookMs < inDoubtMs && !truth.refused.has(id))
      return [`settles: ${kind} ${id} is said to be in doubt after ${tookMs} ms`]
    if (kind === "call" && "data" in outcome && outcome.data !== 2 * sequence)
      return [`calls: ${id} was answered with ${outcome.data} instead of ${2 * sequence}`]
    return []
  })
}

export const checkCalls: Check = ({ ledger }) =>
  [...ledger.calls]
    .filter(([, times]) => times > 1)
    .map(([id, times]) => `calls: ${id} was carried out ${times} times`)

/** Once in: no key twice in one life of the log. */
export const checkOnceIn: Check = ({ truth }) => {
  const complaints: string[] = []
  for (const [channel, { epoch, entries }] of truth.lives()) {
    const seen = new Map<string, number>()
    for (const { id, offset } of entries) {
      if (id === undefined) continue
      if (seen.has(id))
        complaints.push(`once in: ${id} is in ${channel} as ${epoch}#${seen.get(id)} and #${offset}`)
      seen.set(id, offset)
    }
  }
  return complaints
}

/** What was acknowledged is where the acknowledgement says; what was refused is nowhere. */
export const checkAcknowledged: Check = ({ truth, ledger }) => {
  const complaints: string[] = []
  for (const operation of ledger.operations) {
    const { id, channel } = operation
    if (isPlace(operation)) continue
    const position = positionOf(operation)
    const code = codeOf(operation)
    if (code === "quota_exceeded" && truth.life(channel).byId.has(id))
      complaints.push(`settles: ${id} was refused, and is in ${channel}`)
    if (code === "log_unavailable") {
      for (const epoch of truth.epochs) {
        const entry = truth.life(channel, epoch).byId.get(id)
        if (entry !== undefined)
          complaints.push(`settles: ${id} was refused, and is in ${channel} as ${epoch}#${entry.offset}`)
      }
    }
    if (position === undefined) continue
    const entry = truth.life(channel, position.epoch).byOffset.get(position.offset)
    if (entry?.id !== id) {
      const where = `${channel} ${position.epoch}#${position.offset}`
      complaints.push(`acknowledged: ${id} as ${where}, which is ${entry?.id}`)
    }
  }
  return complaints
}

/** Acknowledged means kept: the log has it, unless it may have been trimmed, overwritten, or its life is over. */
export const checkKept: Check = ({ truth, kept, profile }) => {
  const complaints: string[] = []
  for (const [channel, { head, entries }] of kept) {
    const life = truth.life(channel)
    // a channel that was forgotten begins where others have ended
    const top = Math.max(head.base, topOf(life))
    if (head.epoch !== life.epoch || head.top !== top)
      complaints.push(
        `kept: ${channel} ends at ${head.epoch}#${head.top}, and not where entries were last appended`,
      )
    const found = new Map(entries.map((entry) => [entry.offset, entry]))
    const values = new Set(foldOf(life, () => true).values())
    const losses = lossesOf(life, profile)
    for (const entry of life.entries) {
      const same = found.get(entry.offset)
      const has = same !== undefined && same.operation === entry.operation && stampId(same) === stampId(entry)
      const must = entry.collection === EVENTS ? !losses.mayBeLost(entry) : values.has(entry)
      if (must && !has)
        complaints.push(`kept: ${channel} #${entry.offset} (${entry.id}) was appended, and is gone`)
    }
  }
  return complaints
}

/** What one client publishes on one channel keeps its order. */
export const checkPublishOrder: Check = ({ truth, ledger }) => {
  const complaints: string[] = []
  const earlier = new Set<string>()
  const sequences = new Map(ledger.operations.map(({ id, sequence }) => [id, sequence]))
  for (const [channel, { epoch, entries }] of truth.lives()) {
    const last = new Map<string, { id: string; sequence: number }>()
    for (const { id } of entries) {
      if (id === undefined) continue
      const sequence = sequences.get(id) ?? 0
      const by = id.split(".")[0] as string
      const before = last.get(by)
      // one that was refused at first, and the answer was lost, may have been sent again after its successors
      // and one whose answer was lost together with the log that had it
      const excused = truth.refused.has(id) || earlier.has(id) || isCapped(channel)
      if (before !== undefined && before.sequence > sequence && !excused)
        complaints.push(`publish order: ${id} is in ${channel} ${epoch} behind ${before.id}`)
      if (before === undefined || before.sequence < sequence) last.set(by, { id, sequence })
    }
    for (const { id } of entries) if (id !== undefined) earlier.add(id)
  }
  return complaints
}

/**
 * A key that one client alone writes has, in the end, what that client wrote last. Unless one of the writes was refused, or
 * lost with its log before the answer came: it may have been sent again behind its successors.
 */
export const checkLastWrite: Check = (evidence) => {
  const { truth } = evidence
  const complaints: string[] = []
  const lost = new Set<string | undefined>()
  for (const [, { epoch, entries }] of truth.lives())
    if (epoch !== truth.epoch) for (const { id } of entries) lost.add(id)
  for (const [where, operations] of writesByKey(evidence)) {
    const last = operations.at(-1) as Operation
    const isDoubtful = ({ id }: Operation) => truth.refused.has(id) || lost.has(id)
    if (operations.some((each) => codeOf(each) !== undefined || isDoubtful(each))) continue
    const entry = foldOf(truth.life(last.channel), isState).get(last.place as string)
    const [real, wanted] = [entry?.id, last.kind === "set" ? last.id : undefined]
    if (real !== wanted)
      complaints.push(`last write: ${where} was last ${last.kind} by ${last.id}, and is ${real}`)
  }
  return complaints
}

function writesByKey({ ledger }: Evidence): Map<string, Operation[]> {
  const writes = new Map<string, Operation[]>()
  for (const operation of ledger.operations) {
    if (operation.place === undefined) continue
    const where = `${operation.channel} ${operation.place}`
    const before = writes.get(where)
    if (before === undefined) writes.set(where, [operation])
    else before.push(operation)
  }
  return writes
}

/** Under a rate cap, a key waits for its time while others go ahead. */
function isCapped(channel: string): boolean {
  return channel.startsWith("price")
}

/** Whether its client has asked for something else of presence since, or closed the channel. */
function isFollowed(
  { by, channel, kind, sequence, startedAtMs }: Operation,
  { operations, subscribers }: Ledger,
): boolean {
  if (kind !== "enter" && kind !== "leave") return false
  const isSame = (other: { readonly by: string; readonly channel: string }) =>
    other.by === by && other.channel === channel
  const isAsked = operations.some(
    (other) => isSame(other) && other.sequence > sequence && /^(enter|leave)$/.test(other.kind),
  )
  const isClosed = () =>
    subscribers.some(
      (subscriber) =>
        isSame({ ...subscriber, by: subscriber.client }) &&
        subscriber.told.some(
          (told) => told.type === "status" && told.status === "closed" && told.atMs >= startedAtMs,
        ),
    )
  return isAsked || isClosed()
}

function isPlace({ kind }: Operation): boolean {
  return kind === "enter" || kind === "leave" || kind === "call"
}

function stampId(entry: Pick<TrueEntry, "operation" | "collection" | "body">): string {
  return entry.operation === "remove" ? "" : stampOf(entry).id
}
