// Tests of a chat's handlers, with a network that breaks, in milliseconds. Run it:  npx tsx --test examples/testing/chat.test.ts
import assert from "node:assert/strict"
import { test } from "node:test"
import { testWorld } from "holdfast/testing"
import { app, chat } from "./chat.ts"

const lobby = { room: "lobby" }

function chatWorld() {
  const bills: string[] = []
  const world = testWorld(
    app,
    chat((name) => bills.push(name)),
  )
  const enter = (name: string) => world.connect({ name, token: name }).channel("room/:room", lobby)
  const heard: string[] = []
  const bob = enter("Bob")
  bob.on("said", ({ text, by }) => heard.push(`${by}: ${text}`))
  return { ...world, bills, enter, bob, heard }
}

test("a message is said once and billed once, though the line is cut in the middle of it", async () => {
  const { clock, network, bills, enter, bob, heard } = chatWorld()
  await clock.run(bob.ready())
  const ada = enter("Ada")
  // the server has taken the message; the answer is on its way, and never arrives
  const stop = network.onMessage(({ line, direction, message }) => {
    if (line.client !== "Ada" || direction !== "down" || message.type !== "result") return
    stop()
    line.cut()
  })
  const position = await clock.run(ada.publish("said", { text: "hello" }))
  assert.equal(position.offset, 1)
  await clock.until(() => heard.length > 0)
  assert.deepEqual(heard, ["Ada: hello"])
  assert.deepEqual(bills, ["Ada"])
})

test("whoever was away for an hour reads what was said, in order", async () => {
  const { clock, network, enter, bob, heard } = chatWorld()
  await clock.run(bob.ready())
  network.lines("Bob")[0]?.blackHole()
  const ada = enter("Ada")
  for (const text of ["one", "two", "three"]) await clock.run(ada.publish("said", { text }))
  await clock.advance(3_600_000)
  assert.deepEqual(heard, ["Ada: one", "Ada: two", "Ada: three"])
})

test("nobody speaks without a name", async () => {
  const { clock, connect } = chatWorld()
  const errors: string[] = []
  connect().on("error", (error) => errors.push((error as { code: string }).code))
  await clock.until(() => errors.length > 0)
  assert.equal(errors[0], "unauthorized")
})
