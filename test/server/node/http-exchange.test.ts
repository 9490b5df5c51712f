import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { connect, createServer as createHttp2Server } from "node:http2"
import type { AddressInfo } from "node:net"
import { expect, onTestFinished, test } from "vitest"
import { bare } from "../support/http.ts"
import { createTestHub, startTestHub } from "../support/hubs.ts"
import { newSession, post } from "../support/plain-http.ts"

const poll = { session: newSession(), subscriptions: [], waitMs: 0 }

test("what an app's answers vary by is kept", async () => {
  const hub = createTestHub()
  const server = createServer((request, response) => {
    response.setHeader("Vary", "Accept-Encoding")
    response.setHeader("X-App", "here")
    hub.handle(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const { headers } = await post(`http://127.0.0.1:${port}/holdfast/poll`, poll)
  expect([headers.get("vary"), headers.get("x-app")]).toEqual(["Accept-Encoding, Origin", "here"])
})

test("a target in the absolute form is the same address (RFC 9112 3.2.2)", async () => {
  const { port } = await startTestHub()
  const socket = await bare(port)
  socket.write(
    "GET http://any.example/readyz?verbose HTTP/1.1\r\nHost: any.example\r\nConnection: close\r\n\r\n",
  )
  let answer = ""
  for await (const chunk of socket.setEncoding("utf8")) answer += chunk
  expect(answer).toMatch(/^HTTP\/1.1 200 /)
  expect(answer).toContain('"ready":true')
})

test("over HTTP/2 a refusal has no Connection header", async () => {
  const hub = createTestHub()
  const server = createHttp2Server((request, response) => {
    hub.handle(request as unknown as IncomingMessage, response as unknown as ServerResponse)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const session = connect(`http://127.0.0.1:${port}`)
  onTestFinished(() => session.close())
  const ask = async () => {
    const stream = session.request({
      ":method": "POST",
      ":path": "/holdfast/poll",
      "content-type": "application/json",
    })
    stream.end(JSON.stringify(poll))
    const [headers] = await once(stream, "response")
    let text = ""
    for await (const chunk of stream.setEncoding("utf8")) text += chunk
    return { headers, text }
  }
  expect((await ask()).headers).toMatchObject({ ":status": 200 })
  await hub.close()
  const { headers, text } = await ask()
  expect(headers).toMatchObject({ ":status": 503, "retry-after": "1" })
  expect(headers).not.toHaveProperty("connection")
  expect(JSON.parse(text)).toMatchObject({ code: "closed" })
})
