import { expect, it } from "vitest"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { type Peer, rig } from "./rig.ts"
import { handlers, room } from "./room.ts"

/** A log that forgets a removal at once if that leaves no more than this many values. */
const forgetful = () => memoryLog({ epoch: "e1", tombstonesPerCollectionMax: 0 })

function lobbyWith(limits: object) {
  const r = rig(room, { channels: handlers, limits }, forgetful())
  return { ...r, lobby: r.hub.channel("room/:room", { room: "lobby" }) }
}

/** What the parts of the last snapshot come to. */
function topics(peer: Peer): Record<string, unknown> {
  const topics = new Map<string, unknown>()
  for (const { restarts, entries } of peer.all("snapshot")) {
    if (restarts) topics.clear()
    for (const entry of entries) {
      if (entry.type === "set") topics.set(entry.key, entry.data)
      if (entry.type === "delete") topics.delete(entry.key)
    }
  }
  return Object.fromEntries(topics)
}

it("restarts a snapshot when a removal is forgotten that it has not sent", async () => {
  const { clock, lobby, peer: connect } = lobbyWith({ pageEntriesMax: 1 })
  for (const key of ["a", "b", "c"]) await lobby.set("topic", key, key)
  const peer = connect()
  peer.block()
  await peer.hello({ channel: "room/lobby" })
  expect(peer.all("snapshot")).toEqual([])
  peer.drain()
  peer.block()
  await clock.settle()
  expect(topics(peer)).toEqual({ a: "a" })
  for (const key of ["a", "b"]) await lobby.delete("topic", key)
  peer.drain()
  await clock.settle()
  expect(peer.all("snapshot").map(({ restarts }) => restarts)).toEqual([undefined, true])
  expect(peer.last("snapshot")).toMatchObject({ offset: 5, last: true })
  expect(topics(peer)).toEqual({ c: "c" })
})

it("does not restart a snapshot of which nothing was sent", async () => {
  const { clock, lobby, peer: connect } = lobbyWith({ pageEntriesMax: 1 })
  for (const key of ["a", "b", "c"]) await lobby.set("topic", key, key)
  const peer = connect()
  peer.block()
  await peer.hello({ channel: "room/lobby" })
  for (const key of ["a", "b"]) await lobby.delete("topic", key)
  peer.drain()
  await clock.settle()
  expect(peer.all("snapshot").some(({ restarts }) => restarts)).toBe(false)
  expect(topics(peer)).toEqual({ c: "c" })
})

it("restarts no snapshot for a removal that it has sent, or that is remembered", async () => {
  const { clock, lobby, peer: connect } = lobbyWith({ pageEntriesMax: 1 })
  for (const key of ["a", "b", "c", "d"]) await lobby.set("topic", key, key)
  const peer = connect()
  peer.block()
  await peer.hello({ channel: "room/lobby" })
  peer.drain()
  peer.block()
  await clock.settle()
  await lobby.delete("topic", "a")
  peer.drain()
  await clock.settle()
  expect(peer.all("snapshot").some(({ restarts }) => restarts)).toBe(false)
  expect(topics(peer)).toEqual({ b: "b", c: "c", d: "d" })
})
