import { expect, it } from "vitest"
import { rig } from "./rig.ts"
import { handlers, room } from "./room.ts"

const make = () => {
  const r = rig(room, { channels: handlers })
  return { ...r, lobby: r.hub.channel("room/:room", { room: "lobby" }) }
}

it("a gap of events leads to the next entry that is retained, of whatever collection", async () => {
  const { lobby, peer: connect } = make()
  for (let n = 1; n <= 3; n++) await lobby.publish("said", { text: String(n), by: "server" })
  await lobby.set("topic", "x", "kept")
  for (let n = 5; n <= 20; n++) await lobby.publish("said", { text: String(n), by: "server" })
  const peer = connect()
  await peer.hello({ channel: "room/lobby", position: { epoch: "e1", offset: 1 } })
  expect(peer.all("gap")).toMatchObject([
    { from: { offset: 1 }, to: { offset: 10 }, position: { offset: 3 }, snapshot: false },
  ])
  expect(peer.last("set")).toMatchObject({ offset: 4 })
})

it("a subscriber is told once that all is trimmed, though nothing follows that would move it", async () => {
  const { clock, lobby, log, peer: connect } = make()
  for (let n = 1; n <= 3; n++) await lobby.publish("said", { text: String(n), by: "server" })
  const endless = { forMs: Infinity, bytes: Infinity, removalsForMs: Infinity }
  await log.trim("room/lobby", { events: { ...endless, entries: 0 } }, clock.now())
  const peer = connect()
  await peer.hello({ channel: "room/lobby", position: { epoch: "e1", offset: 1 } })
  const { position } = peer.last("gap")
  expect(position).toEqual({ epoch: "e1", offset: 3 })
  const again = connect()
  await again.hello({ channel: "room/lobby", position })
  expect(again.all("gap")).toEqual([])
})
