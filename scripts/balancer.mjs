// A balancer for one machine: TCP, to whoever of those that say that they are ready has the fewest connections. It does nothing
// that any other could not.
import { get } from "node:http"
import { connect, createServer } from "node:net"

/**
 * @typedef {object} Balancer
 * @property {number} port
 * @property {() => readonly number[]} ready the ports that said last that they are ready
 * @property {() => Promise<void>} close
 */

/**
 * @param {readonly number[]} targets ports of the loopback interface
 * @param {{ port?: number, checkMs?: number }} [options] `checkMs`: how often each is asked at /readyz
 * @returns {Promise<Balancer>}
 */
export async function startBalancer(targets, { port = 0, checkMs = 200 } = {}) {
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set()
  /** @type {Set<number>} */
  const ready = new Set()
  /** @type {Map<number, number>} */
  const open = new Map()
  let turn = 0

  const connectionsOf = (/** @type {number} */ target) => open.get(target) ?? 0
  const check = () =>
    Promise.all(
      targets.map(async (target) => {
        if (await isReady(target)) ready.add(target)
        else ready.delete(target)
      }),
    )

  /**
   * @param {import("node:net").Socket} client
   * @param {readonly number[]} left those that have not been tried
   */
  const lead = (client, left) => {
    const [target, ...others] = left
    if (target === undefined || client.destroyed) {
      client.destroy()
      return
    }
    const server = connect(target, "127.0.0.1")
    sockets.add(server)
    open.set(target, connectionsOf(target) + 1)
    let isConnected = false
    server.once("connect", () => {
      isConnected = true
      server.pipe(client)
      client.pipe(server)
    })
    server.on("error", () => server.destroy())
    server.once("close", () => {
      sockets.delete(server)
      open.set(target, connectionsOf(target) - 1)
      // a node that has just died is found out by those who come
      if (isConnected) client.destroy()
      else lead(client, others)
    })
    client.once("close", () => server.destroy())
  }

  const listener = createServer((client) => {
    sockets.add(client)
    client.once("close", () => sockets.delete(client))
    client.on("error", () => client.destroy())
    const now = targets.filter((target) => ready.has(target))
    const first = now.length === 0 ? 0 : turn++ % now.length
    const inTurn = [...now.slice(first), ...now.slice(0, first)]
    lead(
      client,
      inTurn.toSorted((one, other) => connectionsOf(one) - connectionsOf(other)),
    )
  })
  await check()
  const checking = setInterval(check, checkMs)
  await new Promise((resolve, reject) => {
    listener.once("error", reject)
    listener.listen(port, "127.0.0.1", () => resolve(undefined))
  })
  const address = listener.address()
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    ready: () => [...ready],
    close: () => {
      clearInterval(checking)
      const closed = new Promise((resolve) => listener.close(() => resolve(undefined)))
      for (const socket of sockets) socket.destroy()
      return closed
    },
  }
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isReady(port) {
  return new Promise((resolve) => {
    const request = get(
      { host: "127.0.0.1", port, path: "/readyz", agent: false, timeout: 1_000 },
      (response) => {
        response.resume()
        resolve(response.statusCode === 200)
      },
    )
    request.on("timeout", () => request.destroy())
    request.on("error", () => resolve(false))
  })
}
