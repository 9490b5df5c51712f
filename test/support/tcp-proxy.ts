import { createServer, connect as dial, type Socket } from "node:net"

/** Stands between a client and a server, and can be a bad network. */
export interface TcpProxy {
  readonly port: number
  /** Where connections that are made from now on lead. */
  target: number
  /** From now on nothing comes through from the server, and nobody is told; what is sent to it still arrives. */
  readonly freezeAnswers: () => void
  /** Ends all connections. Those that are made afterwards are not frozen. */
  readonly cut: () => void
  readonly close: () => Promise<void>
}

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket }>()
  const listener = createServer((client) => {
    const server = dial(proxy.target, "127.0.0.1")
    const pair = { client, server }
    pairs.add(pair)
    client.on("error", () => undefined).pipe(server)
    server.on("error", () => undefined).pipe(client)
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      server.destroy()
    }
    client.on("close", end)
    server.on("close", end)
  })
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))
  const address = listener.address()
  const cut = () => {
    for (const { client, server } of pairs) {
      client.destroy()
      server.destroy()
    }
  }
  const proxy: TcpProxy = {
    port: typeof address === "object" && address !== null ? address.port : 0,
    target,
    freezeAnswers() {
      for (const { client, server } of pairs) {
        server.unpipe(client)
        // Read on, so that the server does not notice either.
        server.resume()
      }
    },
    cut,
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
      cut()
      await closed
    },
  }
  return proxy
}
