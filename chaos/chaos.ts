import { setTimeout as sleep } from "node:timers/promises"
import { formatName } from "holdfast"
import { redisLog } from "holdfast/redis"
import type { Log } from "holdfast/server"
import { type Seeded, seeded } from "holdfast/testing"
import { LOBBY, PATTERN } from "./app.ts"
import { type Accounted, auditRoom, type Kept, readRoom } from "./audit.ts"
import { type Cluster, createCluster } from "./cluster.ts"
import { Crowd } from "./crowd.ts"
import type { Defect } from "./defects.ts"
import { type Fault, faults, pickFault } from "./faults.ts"
import type { Seat } from "./participant.ts"
import { Patience } from "./patience.ts"
import { situation } from "./situation.ts"
import { complain, count, newTally, type Tally } from "./tally.ts"

export interface ChaosOptions {
  readonly seed: number
  readonly nodes: number
  readonly clients: number
  readonly publishesPerSecond: number
  /** Asked with how many rounds there were, from one on: whether there is another. */
  readonly goesOn: (rounds: number) => boolean
  /** How many bad things happen before everything is healed and accounted for, beside a loss. */
  readonly faultsPerRound: number
  /** How long to wait at most, on average half of it, between two faults. */
  readonly faultEveryMs: number
  /** In each n-th round the engine loses something; 0 for never. */
  readonly lossEvery: number
  /** How long nothing may change, once everything is well again, before clients have everything. Default: a minute. */
  readonly settleMs?: number
  readonly among?: readonly Fault[]
  readonly defect?: Defect
  /** Told after each round. */
  readonly report?: (line: string) => void
  /** Told each second how things are. */
  readonly status?: (line: string) => void
}

/** Runs a cluster, lets bad things happen to it round by round, and takes account after each. */
export async function chaos(options: ChaosOptions): Promise<Tally> {
  const { seed, nodes, clients, goesOn, report = () => undefined } = options
  const chance = seeded(seed)
  const tally = newTally()
  const cluster = await createCluster(nodes, chance.fork().random, options.defect)
  const log = redisLog(`redis://127.0.0.1:${cluster.engine.port}`, { onError: () => undefined })
  let crowd: Crowd | undefined
  const watching = setInterval(() => {
    if (crowd !== undefined) options.status?.(statusOf(crowd, tally))
  }, 1_000)
  try {
    await cluster.start()
    crowd = new Crowd(cluster.url, clients, chance.fork())
    await crowd.ready()
    report(`${clients} clients at ${nodes} nodes`)
    let accounted = await standing(log, crowd)
    do {
      const round = tally.rounds + 1
      const mayLose = options.lossEvery > 0 && round % options.lossEvery === 0
      await trouble(cluster, crowd, chance, options, mayLose, tally)
      await settle(cluster, crowd, log, options.settleMs ?? 60_000, tally)
      accounted = await account(log, crowd, accounted, mayLose, tally)
      tally.rounds = round
      tally.reconnects = crowd.participants.reduce((sum, { reconnects }) => sum + reconnects, 0)
      report(progress(crowd, tally))
    } while (tally.complaints.length === 0 && goesOn(tally.rounds))
  } finally {
    clearInterval(watching)
    crowd?.close()
    await log.close()
    await cluster.stop()
  }
  return tally
}

/** Publishes go on while one thing after the other goes wrong; resolves when nothing is wrong any more. */
async function trouble(
  cluster: Cluster,
  crowd: Crowd,
  chance: Seeded,
  { faultsPerRound, faultEveryMs, publishesPerSecond, among = Object.values(faults) }: ChaosOptions,
  mayLose: boolean,
  tally: Tally,
): Promise<void> {
  tally.trail = []
  const startedAt = performance.now()
  const since = () => ((performance.now() - startedAt) / 1_000).toFixed(1)
  const over = new AbortController()
  const pause = (ms: number) => sleep(ms, undefined, { signal: over.signal }).catch(() => undefined)
  const publishing = setInterval(() => crowd.publishOne(), 1_000 / publishesPerSecond)
  const victims = new Set<object>()
  const running: Promise<void>[] = []
  /** Returns whether it happens: not to what something happens to already. */
  const inflict = (fault: Fault) => {
    const victim = fault.victim(cluster, chance)
    if (victims.has(victim)) return false
    victims.add(victim)
    count(tally.faults, fault.name)
    const beganAt = since()
    const ended = fault
      .run(cluster, victim as never, chance, pause)
      .catch((error: Error) => complain(tally, `${fault.name}: ${error.message}`))
      .finally(() => {
        victims.delete(victim)
        const name = "name" in victim ? ` (${victim.name})` : ""
        tally.trail.push(`${beganAt} to ${since()} s of the round: ${fault.name}${name}`)
      })
    running.push(ended)
    return true
  }
  if (mayLose) inflict(faults.loseTail)
  for (let inflicted = 0; inflicted < faultsPerRound; ) {
    await pause(chance.between(0, faultEveryMs))
    if (inflict(pickFault(chance, among))) inflicted++
  }
  await pause(faultEveryMs)
  over.abort()
  clearInterval(publishing)
  await Promise.all(running)
  cluster.balancer.heal()
}

/** Resolves when everything that was published has its outcome, and everybody has come to the end of every log. */
async function settle(
  cluster: Cluster,
  crowd: Crowd,
  log: Log,
  settleMs: number,
  tally: Tally,
): Promise<void> {
  const before = tally.complaints.length + tally.absences.length
  // in each log something is appended, so that a loss cannot go unnoticed for want of traffic
  crowd.publishEverywhere()
  const settled = await Promise.race([
    crowd.settled().then(() => true),
    sleep(settleMs, false, { ref: false }),
  ])
  if (!settled) complain(tally, `publishes have had no outcome for ${settleMs} ms`)
  const patience = new Patience(settleMs, () => crowd.situation())
  for (const [room, seats] of crowd.seatsByRoom) {
    const { epoch, top } = await log.head(formatName(PATTERN, { room }))
    const isThere = ({ room: { position } }: Seat) =>
      position?.epoch === epoch && (position?.offset ?? 0) >= top
    while (!seats.every(isThere) && !patience.isOver) await sleep(50)
    const late = seats.filter((seat) => !isThere(seat))
    if (late.length > 0) {
      const places = late.slice(0, EXAMPLES_MAX).map(placeOf)
      complain(tally, `${late.length} in ${room}, which goes up to ${epoch}/${top}: ${places.join("; ")}`)
    }
  }
  // behind that, or whoever is waited for in one room would leave no time for the others to come to the end
  for (const [room, seats] of crowd.seatsByRoom) {
    if (room !== LOBBY) await presenceSettled(room, seats, patience, tally)
  }
  if (!cluster.nodes.every((node) => node.isRunning())) complain(tally, "a node does not run any more")
  if (tally.complaints.length + tally.absences.length > before) {
    tally.situation = await situation(cluster, crowd)
  }
}

/** Of those with whom the same is wrong, so many say enough. */
const EXAMPLES_MAX = 5

function placeOf({ name, room: { position, status } }: Seat): string {
  return `${name} stands at ${position?.epoch}/${position?.offset}, ${status}`
}

/** Everybody is there again, once, for everybody. */
async function presenceSettled(room: string, seats: readonly Seat[], patience: Patience, tally: Tally) {
  const present = ({ room }: Seat) => [...room.presence.members.values()].map(({ name }) => name)
  const expected = seats
    .map(({ name }) => name)
    .sort()
    .join()
  const isComplete = (seat: Seat) => present(seat).sort().join() === expected
  while (!seats.every(isComplete) && !patience.isOver) await sleep(50)
  const wrong = seats.filter((seat) => !isComplete(seat))
  const [example] = wrong
  if (example === undefined) return
  const names = present(example)
  const missing = seats.filter(({ name }) => !names.includes(name)).map(({ name }) => name)
  const twice = names.filter((name, index) => names.indexOf(name) !== index)
  const what = `misses ${missing.join(", ") || "nobody"}, and sees ${twice.join(", ") || "nobody"} twice`
  tally.absences.push(`${room}: ${wrong.length} see others than are there: ${example.name} ${what}`)
}

async function account(
  log: Log,
  crowd: Crowd,
  before: ReadonlyMap<string, Accounted>,
  mayLose: boolean,
  tally: Tally,
): Promise<ReadonlyMap<string, Accounted>> {
  const after = new Map<string, Kept>()
  for (const [room, seats] of crowd.seatsByRoom) {
    const from = before.get(room) as Accounted
    let kept = await readRoom(log, room, from.top)
    if (kept.epoch !== from.epoch) kept = await readRoom(log, room, 0)
    after.set(room, kept)
    const found = auditRoom(from, kept, seats, mayLose, (id) => crowd.isKnown(id))
    for (const text of found.complaints) complain(tally, `${room}: ${text}`)
    tally.delivered += found.delivered
    tally.lostByEngine += found.lost
    for (const seat of seats) {
      tally.published += seat.published
      tally.acknowledged += seat.acknowledged.length
      tally.gaps += seat.gaps.length
      for (const code of seat.refused) count(tally.refused, code)
      seat.begin()
    }
  }
  return after
}

async function standing(log: Log, crowd: Crowd): Promise<ReadonlyMap<string, Accounted>> {
  const standings = new Map<string, Accounted>()
  for (const room of crowd.seatsByRoom.keys())
    standings.set(room, await log.head(formatName(PATTERN, { room })))
  return standings
}

function progress(crowd: Crowd, tally: Tally): string {
  const parts = [
    `round ${tally.rounds}`,
    `${faultsOf(tally)} faults`,
    `${tally.acknowledged} acknowledged`,
    `${tally.delivered} delivered`,
    `${tally.reconnects} reconnects`,
    `${tally.gaps} gaps`,
    connectedOf(crowd),
  ]
  return parts.join(", ")
}

/** What is known before a round is accounted for. */
function statusOf(crowd: Crowd, tally: Tally): string {
  return `${faultsOf(tally)} faults, ${crowd.published} published, ${connectedOf(crowd)}`
}

function faultsOf({ faults }: Tally): number {
  return [...faults.values()].reduce((sum, count) => sum + count, 0)
}

function connectedOf({ connected }: Crowd): string {
  return [...connected].map(([name, count]) => `${name} ${count}`).join(" ")
}
