// What the client does in any runtime. One case per process: node suite.mjs CASE URL TRAP CONTROL. It ends by itself when
// the case is over, or the client has left something open. TRAP is where WebSockets are swallowed.
import assert from "node:assert/strict"
import process from "node:process"
import { connect, HoldfastError } from "holdfast/client"
import { msgpack } from "holdfast/msgpack"

/** @typedef {import("holdfast/client").Client<typeof import("./app.ts").app>} AppClient */

const [, , name = "", url = "", trap = "", control = ""] = process.argv

/** Node 20 has no WebSocket. */
const own = globalThis.WebSocket === undefined ? { WebSocket: (await import("ws")).WebSocket } : {}

/** @type {AppClient[]} */
const clients = []

/**
 * @param {string} user
 * @param {import("holdfast/client").ConnectOptions} [options]
 * @returns {AppClient}
 */
function join(user, options = {}, address = url) {
  const client = connect(address, {
    ...own,
    token: () => `token of ${user}`,
    backoff: { minMs: 5, maxMs: 50 },
    ...options,
  })
  clients.push(/** @type {AppClient} */ (client))
  client.on("error", () => undefined)
  return /** @type {AppClient} */ (client)
}

/** Ends all lines, as a bad network does. */
const cut = () => fetch(`${control}/cut`, { method: "POST" })

/**
 * Ada publishes and Grace hears it, both by this transport, while their lines are cut.
 * @param {"websocket" | "sse" | "poll"} transport
 */
async function countOver(transport) {
  const [ada, grace] = ["Ada", "Grace"].map((user) => join(user, { transports: [transport] }))
  const [from, to] = [ada, grace].map((client) => client?.channel("room/:room", { room: "a" }))
  /** @type {number[]} */
  const heard = []
  let gaps = 0
  to?.onGap(() => gaps++)
  const all = until(
    (check) => to?.on("said", (number) => heard.push(number) && check()),
    () => heard.length === 500,
  )
  await to?.ready()
  const numbers = Array.from({ length: 500 }, (_, index) => index)
  const published = []
  for (const number of numbers) {
    published.push(from?.publish("said", number))
    if (number % 100 === 50) await cut()
  }
  await Promise.all(published)
  await all
  assert.deepEqual(heard, numbers)
  assert.deepEqual([gaps, ada?.transport, grace?.transport], [0, transport, transport])
}

/**
 * @param {(check: () => void) => void} watch calls `check` whenever something may have changed
 * @param {() => boolean} met
 * @returns {Promise<void>}
 */
function until(watch, met) {
  return new Promise((resolve) => {
    const check = () => met() && resolve()
    watch(check)
    check()
  })
}

/** @type {Record<string, () => Promise<void>>} */
const cases = {
  async "connects with a token, and tells that one was refused"() {
    let asked = 0
    const client = join("Ada", { token: async () => (++asked === 1 ? "forged" : "token of Ada") })
    /** @type {unknown[]} */
    const codes = []
    client.on("error", (error) => codes.push(error instanceof HoldfastError && error.code))
    assert.equal(await client.channel("room/:room", { room: "a" }).call("whoAmI", null), "Ada")
    assert.deepEqual([asked, codes], [2, ["unauthorized"]])
  },

  async "publishes, and hears what is published, in order"() {
    const room = join("Ada").channel("room/:room", { room: "a" })
    /** @type {number[]} */
    const heard = []
    const all = until(
      (check) => room.on("said", (number) => heard.push(number) && check()),
      () => heard.length === 100,
    )
    await room.ready()
    const numbers = Array.from({ length: 100 }, (_, index) => index)
    const positions = await Promise.all(numbers.map((number) => room.publish("said", number)))
    assert.deepEqual(
      positions.map(({ offset }) => offset),
      numbers.map((number) => number + 1),
    )
    await all
    assert.deepEqual(heard, numbers)
  },

  "loses and doubles nothing when its WebSocket is cut": () => countOver("websocket"),
  "loses and doubles nothing when its stream of events is cut": () => countOver("sse"),
  "loses and doubles nothing when its polls are cut": () => countOver("poll"),

  async "goes on over plain HTTP where WebSockets are swallowed"() {
    const client = join("Ada", { connectTimeoutMs: 2_000 }, trap)
    const room = client.channel("room/:room", { room: "a" })
    const heard = new Promise((resolve) => room.on("said", resolve))
    await room.presence.enter({ name: "Ada" })
    await room.publish("said", 7)
    assert.equal(await heard, 7)
    assert.equal(await room.call("double", 21), 42)
    assert.equal(client.transport, "sse")
  },

  async "says what is missing where there is no WebSocket, or goes over plain HTTP"() {
    Object.defineProperty(globalThis, "WebSocket", { value: undefined })
    assert.throws(
      () => connect(url, { transports: ["websocket"] }),
      /No WebSocket here: pass one, such as that of ws/,
    )
    const client = connect(url, { token: "token of Ada" })
    clients.push(/** @type {AppClient} */ (client))
    assert.equal(
      await /** @type {AppClient} */ (client).channel("room/:room", { room: "a" }).call("whoAmI", null),
      "Ada",
    )
    assert.equal(client.transport, "sse")
  },

  async "carries bytes, in both codecs"() {
    const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index % 256)
    for (const codec of [undefined, msgpack]) {
      const room = join("Ada", codec && { codec }).channel("room/:room", { room: codec?.name ?? "json" })
      const heard = new Promise((resolve) => room.on("blob", resolve))
      await room.ready()
      await room.publish("blob", bytes)
      assert.deepEqual(await heard, bytes)
    }
  },

  async "calls, and gets a result or a typed error"() {
    const room = join("Ada").channel("room/:room", { room: "a" })
    assert.equal(await room.call("double", 21), 42)
    await assert.rejects(room.call("double", 2000), (error) => {
      assert.ok(error instanceof HoldfastError)
      assert.deepEqual([error.code, error.data], ["too_large", { max: 1000 }])
      return true
    })
  },

  async "holds the state, also what others set"() {
    const [ada, grace] = [join("Ada"), join("Grace")].map((client) =>
      client.channel("room/:room", { room: "a" }),
    )
    await ada?.state("topic").set("today", "boats")
    await grace?.ready()
    assert.equal(grace?.state("topic").get("today"), "boats")
    const changed = until(
      (check) => grace?.state("topic").onChange(check),
      () => grace?.state("topic").get("today") === "ships",
    )
    await cut()
    await ada?.state("topic").set("today", "ships")
    await changed
  },

  async "sees who is there, and is seen"() {
    const [ada, grace] = [join("Ada"), join("Grace")].map((client) =>
      client.channel("room/:room", { room: "a" }),
    )
    const names = () => [...(grace?.presence.members.values() ?? [])].map(({ name }) => name).sort()
    await grace?.presence.enter({ name: "Grace" })
    await ada?.presence.enter({ name: "Ada" })
    await until(
      (check) => grace?.presence.onChange(check),
      () => names().join() === "Ada,Grace",
    )
    await ada?.presence.leave()
    await until(
      (check) => grace?.presence.onChange(check),
      () => names().join() === "Grace",
    )
  },

  async "sends signals"() {
    const [ada, grace] = [join("Ada"), join("Grace")].map((client) =>
      client.channel("room/:room", { room: "a" }),
    )
    const heard = new Promise((resolve) => grace?.onSignal("typing", resolve))
    await Promise.all([ada?.ready(), grace?.ready()])
    ada?.signal("typing", { on: true })
    assert.deepEqual(await heard, { on: true })
  },
}

const run = cases[name]
if (run === undefined) throw new Error(`no such case: ${name}`)
await run()
for (const client of clients) client.close()
console.log(`done: ${name}`)
