import { once } from "node:events"
import { type ClientRequest, createServer, type IncomingMessage, request, type Server } from "node:http"
import { type AddressInfo, connect, type Socket } from "node:net"
import { onTestFinished } from "vitest"

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

/** The headers of a correct handshake for the protocol over JSON. */
export const handshake: Readonly<Record<string, string>> = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Protocol": "holdfast.v1.json",
}

/** What a GET is answered, or a handshake that is refused. */
export async function get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const sent: ClientRequest = request(url.replace(/^ws/, "http"), { headers, agent: false })
  sent.end()
  const upgraded = once(sent, "upgrade").then((args) => {
    const [response, socket] = args as [IncomingMessage, Socket]
    socket.destroy()
    return { status: response.statusCode ?? 0, headers: response.headers, body: "" }
  })
  const answered = once(sent, "response").then(async (args) => {
    const [response] = args as [IncomingMessage]
    let body = ""
    for await (const chunk of response.setEncoding("utf8")) body += chunk
    return { status: response.statusCode ?? 0, headers: response.headers, body }
  })
  return Promise.race([upgraded, answered])
}

/** A bare connection, for clients that do not behave. */
export async function bare(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1")
  // What becomes of it is seen by `close`; a reset is none of the test's errors.
  socket.on("error", () => undefined)
  await once(socket, "connect")
  return socket
}

/** A bare connection after a correct handshake. */
export async function bareUpgraded(port: number, path = "/holdfast"): Promise<Socket> {
  const socket = await bare(port)
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...handshake }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`)
  const [answer] = (await once(socket, "data")) as [Buffer]
  if (!answer.toString("latin1").startsWith("HTTP/1.1 101")) throw new Error(answer.toString("latin1"))
  return socket
}

/** A masked frame, as a client writes it. */
export function clientFrame(firstByte: number, payload: Uint8Array | string): Buffer {
  const bytes = Buffer.from(payload as string)
  const length =
    bytes.length < 126
      ? Buffer.from([0x80 | bytes.length])
      : Buffer.from([0x80 | 126, bytes.length >> 8, bytes.length & 0xff])
  // The mask is all zeros, so it leaves the payload as it is.
  return Buffer.concat([Buffer.from([firstByte]), length, Buffer.alloc(4), bytes])
}

/** A server that an app has already. It is closed when the test is over. */
export async function appServer(): Promise<{ server: Server; port: number; base: string }> {
  const server = createServer((_request, response) => response.end("the app"))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return { server, port, base: `ws://127.0.0.1:${port}` }
}
