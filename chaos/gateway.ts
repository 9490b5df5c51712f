import { createServer, connect as dial, type Socket } from "node:net"

/**
 * Stands before one or several servers, sends connections to them in turn, whoever comes, and can be a bad network. It
 * does not look at how the servers are: who cannot be reached is passed over, who is frozen is not.
 */
export interface Gateway {
  readonly port: number
  /** Cuts each connection with this probability. */
  readonly cut: (probability: number) => number
  /** From now on nothing comes through these any more, either way, and nobody is told. */
  readonly freeze: (probability: number) => number
  /** Cuts those that are frozen. */
  readonly heal: () => void
  /** Takes no connections, until `open`. */
  readonly shut: () => void
  readonly open: () => void
  readonly close: () => Promise<void>
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
  frozen: boolean
}

export async function createGateway(
  targets: () => readonly number[],
  random: () => number,
): Promise<Gateway> {
  const pairs = new Set<Pair>()
  let turn = 0
  let isShut = false

  const join = (client: Socket, server: Socket) => {
    const pair: Pair = { client, server, frozen: false }
    pairs.add(pair)
    client.pipe(server)
    server.pipe(client)
    for (const socket of [client, server]) socket.on("close", () => destroy(pair))
  }

  const destroy = (pair: Pair) => {
    // what is frozen is not told that the other side has gone
    if (pair.frozen || !pairs.delete(pair)) return
    pair.client.destroy()
    pair.server.destroy()
  }

  const listener = createServer((client) => {
    client.on("error", () => undefined)
    const ports = isShut ? [] : targets()
    const attempt = (left: number) => {
      const port = ports[turn++ % ports.length]
      if (left === 0 || port === undefined) {
        client.destroy()
        return
      }
      const server = dial(port, "127.0.0.1")
      const next = () => attempt(left - 1)
      server.once("error", next)
      server.once("connect", () => {
        server.off("error", next).on("error", () => undefined)
        if (client.destroyed) server.destroy()
        else join(client, server)
      })
    }
    attempt(ports.length)
  })

  const some = (probability: number, act: (pair: Pair) => void) => {
    const chosen = [...pairs].filter((pair) => !pair.frozen && random() < probability)
    for (const pair of chosen) act(pair)
    return chosen.length
  }

  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))
  const address = listener.address()
  const heal = () => {
    for (const pair of [...pairs].filter(({ frozen }) => frozen)) {
      pair.frozen = false
      destroy(pair)
    }
  }
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    cut: (probability) => some(probability, destroy),
    freeze: (probability) =>
      some(probability, (pair) => {
        pair.frozen = true
        pair.client.unpipe(pair.server).pause()
        pair.server.unpipe(pair.client).pause()
      }),
    heal,
    shut() {
      isShut = true
    },
    open() {
      isShut = false
    },
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
      heal()
      for (const pair of [...pairs]) destroy(pair)
      await closed
    },
  }
}
