import { request as ask, createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { connect as dial, type Socket } from "node:net"
import type { Duplex } from "node:stream"

/** What a middlebox does to WebSockets: passes them, answers with a status instead, or passes nothing, before or behind the handshake. */
export type Upgrades = "pass" | "silent" | "mute" | number

/** A proxy that speaks HTTP, and can be a bad one. */
export interface WebProxy {
  readonly url: string
  upgrades: Upgrades
  /** Passes an answer on when it is complete. */
  buffers: boolean
  /** How many WebSockets were asked for. */
  readonly upgraded: () => number
  /** How many pieces clients have sent over WebSockets. */
  readonly sent: () => number
  /** The paths of the requests that came. */
  readonly paths: string[]
  readonly cut: () => void
  readonly close: () => Promise<void>
}

export async function startWebProxy(target: string): Promise<WebProxy> {
  const { port } = new URL(target)
  const sockets = new Set<Duplex>()
  let upgraded = 0
  let sent = 0
  const proxy = createServer((request, response) => {
    state.paths.push(request.url ?? "")
    forward(request, response)
  })
  const forward = (request: IncomingMessage, response: ServerResponse) => {
    const { url, method, headers } = request
    const asked = ask({ port, path: url, method, headers }, (answer) => {
      const chunks: Buffer[] = []
      const { buffers } = state
      if (!buffers) response.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders()
      answer.on("data", (chunk: Buffer) => {
        if (buffers) chunks.push(chunk)
        else response.write(chunk)
      })
      answer.on("close", () => {
        if (buffers) response.writeHead(answer.statusCode ?? 502, answer.headers)
        response.end(Buffer.concat(chunks))
      })
    })
    asked.on("error", () => response.destroy())
    response.on("close", () => asked.destroy())
    request.pipe(asked)
  }
  proxy.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
  })
  proxy.on("upgrade", (request: IncomingMessage, client: Duplex, head: Buffer) => {
    upgraded++
    client.on("error", () => undefined)
    const { upgrades } = state
    if (upgrades === "silent") return
    if (typeof upgrades === "number") {
      client.end(`HTTP/1.1 ${upgrades} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
      return
    }
    const server = dial(Number(port), "127.0.0.1")
    sockets.add(server)
    server.on("error", () => client.destroy())
    const lines = request.rawHeaders.reduce(
      (text, part, index) => text + part + (index % 2 === 0 ? ": " : "\r\n"),
      "",
    )
    server.write(`GET ${request.url} HTTP/1.1\r\n${lines}\r\n`)
    server.write(head)
    client.on("data", (chunk: Buffer) => {
      sent++
      if (upgrades !== "mute") server.write(chunk)
    })
    let answered = false
    server.on("data", (chunk: Buffer) => {
      if (upgrades !== "mute" || !answered) client.write(chunk)
      answered = true
    })
    client.on("close", () => server.destroy())
    server.on("close", () => {
      sockets.delete(server)
      client.destroy()
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve))
  const address = proxy.address()
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const state: WebProxy = {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/holdfast`,
    upgrades: "pass",
    buffers: false,
    upgraded: () => upgraded,
    sent: () => sent,
    paths: [],
    cut,
    close: async () => {
      const closed = new Promise<void>((resolve) => proxy.close(() => resolve()))
      cut()
      await closed
    },
  }
  return state
}
