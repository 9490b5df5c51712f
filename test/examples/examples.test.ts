import { spawn } from "node:child_process"
import { once } from "node:events"
import { channel, contract } from "holdfast"
import { connect } from "holdfast/client"
import { expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { z } from "zod"
import { env, root, runExample } from "./example.ts"

const noticesApp = contract({
  notices: channel({ events: { posted: z.object({ text: z.string() }) } }),
})

test("chat: what one client says, the other reads", async () => {
  const server = runExample("chat/server.ts")
  const [, url = ""] = await server.line(/at (ws:.*)/)
  const ada = runExample("chat/client.ts", "Ada", url)
  await ada.line(/\(here: Ada\)/)
  const bob = runExample("chat/client.ts", "Bob", url)
  await ada.line(/\(here: (Ada, Bob|Bob, Ada)\)/)
  ada.process.stdin.write("hello\n")
  await bob.line(/^Ada: hello$/)
  bob.process.stdin.end("good bye\n")
  await ada.line(/^Bob: good bye$/)
  await ada.line(/\(here: Ada\)/)
  ada.process.stdin.end()
  expect(await once(ada.process, "exit")).toEqual([0, null])
  server.process.kill("SIGTERM")
  expect(await once(server.process, "exit")).toEqual([0, null])
})

test("testing: a chat's handlers pass their tests, whose network breaks", async () => {
  const args = ["--import", "tsx", "--test", "examples/testing/chat.test.ts"]
  const tests = spawn(process.execPath, args, { cwd: root, env, stdio: "inherit" })
  expect(await once(tests, "exit")).toEqual([0, null])
})

test.each(["express.ts", "fastify.ts", "hono.ts"])(
  "%s: a route publishes to the hub's clients",
  async (file) => {
    const example = runExample(file)
    const [, base = ""] = await example.line(/at (http:.*)/)
    expect(await (await fetch(base)).text()).toContain("POST /notices")
    const client = connect<typeof noticesApp>(base, { WebSocket })
    onTestFinished(() => client.close())
    const notices = client.channel("notices")
    const heard = new Promise<unknown>((resolve) => notices.on("posted", resolve))
    await notices.ready()
    const answer = await fetch(`${base}/notices`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text: "it works" }),
    })
    expect(answer.status).toBe(201)
    expect(await heard).toEqual({ text: "it works" })
    const poll = await fetch(`${base}/holdfast/poll`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        session: crypto.randomUUID(),
        subscriptions: [{ channel: "notices", history: "all" }],
      }),
    })
    expect(await poll.text()).toContain('"data":{"text":"it works"}')
  },
)

test("raw-echo.ts: text comes back as text, bytes as bytes", async () => {
  const example = runExample("raw-echo.ts")
  const [, url = ""] = await example.line(/at (ws:.*)/)
  const webSocket = new WebSocket(url)
  onTestFinished(() => webSocket.terminate())
  await once(webSocket, "open")
  for (const message of ["hello", Buffer.from([1, 2, 3])]) {
    webSocket.send(message)
    const [data, binary] = await once(webSocket, "message")
    expect(binary ? data : data.toString()).toEqual(message)
  }
})
