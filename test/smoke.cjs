// Whether a CommonJS program can require the built package on this version of Node: every entry, and a hub and a client.
const assert = require("node:assert/strict")
const { channel, contract } = require("holdfast")
const { connect } = require("holdfast/client")
const { createHub } = require("holdfast/server")
const { WebSocket } = require("ws")
const { z } = require("zod")
const { exports: entries } = require("../package.json")

for (const entry of Object.keys(entries)) {
  assert.ok(Object.keys(require(entry.replace(".", "holdfast"))).length > 0, entry)
}

async function main() {
  const app = contract({ news: channel({ events: { said: z.string() } }) })
  const hub = createHub(app, {
    channels: {
      news: { subscribe: true, events: { said: (/** @type {{ data: string }} */ { data }) => data } },
    },
  })
  const { url } = await hub.listen({ port: 0 })
  /** @type {import("holdfast/client").Client<typeof app>} */
  const client = connect(url, { WebSocket })
  assert.equal((await client.channel("news").publish("said", "hello")).offset, 1)
  client.close()
  await hub.close()
  console.log(`holdfast can be required on Node ${process.versions.node}`)
}

main()
