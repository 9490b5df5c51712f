import type { Position } from "holdfast/client"
import type { Evidence } from "../evidence.ts"
import { lossesOf } from "../losses.ts"
import type { Told } from "../subscriber.ts"

type Gap = Extract<Told, { type: "gap" }>

/** What is wrong with a gap by itself: whether it is what it says, and whether what it names may really be gone. */
export function checkGap(evidence: Evidence, channel: string, gap: Gap): string[] {
  const { reason, collections, from, to } = gap
  const range = `${show(from)} to ${show(to)}`
  const found: string[] = []
  if (reason === "unknown-position") {
    found.push(`stood at ${show(from)}, which the log is said not to know`)
  } else if (reason === "new-epoch") {
    const { epochs } = evidence.truth
    if (epochs.indexOf(to.epoch) <= epochs.indexOf(from.epoch))
      found.push(`was told that ${to.epoch} came after ${from.epoch}`)
  } else if (to.epoch !== from.epoch || to.offset <= from.offset) {
    found.push(`was told of a gap from ${range}`)
  }
  if (collections === undefined) found.push(...wholly(evidence, channel, gap))
  else found.push(...partly(evidence, channel, gap, collections))
  return found
}

/** Of everything up to there, nothing may be left. */
function wholly(evidence: Evidence, channel: string, { from, to, atMs }: Gap): string[] {
  const life = evidence.truth.life(channel, to.epoch)
  const losses = lossesOf(life, evidence.profile)
  const after = from.epoch === to.epoch ? from.offset : 0
  const owed = life.entries.find(
    (entry) => entry.offset > after && entry.offset <= to.offset && losses.isOwed(entry, atMs),
  )
  return owed === undefined ? [] : [`was told that all up to ${show(to)} is lost, and #${owed.offset} is not`]
}

/** Of each collection that is named something has to be lost, and at the end that entry. */
function partly(
  evidence: Evidence,
  channel: string,
  { from, to, atMs }: Gap,
  collections: readonly string[],
): string[] {
  const life = evidence.truth.life(channel, to.epoch)
  const losses = lossesOf(life, evidence.profile)
  const lost = life.entries.filter(
    (entry) => entry.offset > from.offset && entry.offset <= to.offset && losses.mayBeLost(entry, atMs),
  )
  const found = collections
    .filter((name) => !lost.some(({ collection }) => collection === name))
    .map((name) => `was told that something of ${name} is lost up to ${show(to)}, and nothing is`)
  const last = lost.at(-1)
  if (last?.offset !== to.offset || !collections.includes(last.collection))
    found.push(`was told that ${collections.join(" and ")} may lack ${show(to)}, which is not lost`)
  return found
}

export function show({ epoch, offset }: Position): string {
  return `${epoch}#${offset}`
}
