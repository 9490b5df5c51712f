import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { createClient, createCluster } from "redis"
import { freePort } from "./free-port.ts"
import { program } from "./program.ts"

export type TestClient = ReturnType<typeof plainClient>

/** A redis-server of its own: on a free port of the loopback interface, with a folder that goes when it is destroyed. */
export interface RedisServer {
  readonly port: number
  readonly url: string
  readonly pid: () => number
  /** A client for the test itself. It is connected, and closed with the server. */
  readonly client: TestClient
  /** Ends the process. `SIGKILL`: from one instruction to the next. */
  readonly stop: (signal?: "SIGTERM" | "SIGKILL") => Promise<void>
  /** Starts it again, at the same port and with what is in its folder. */
  readonly start: () => Promise<void>
  /** Resolves when a replica has everything that was written before. */
  readonly replicated: () => Promise<void>
  readonly destroy: () => Promise<void>
}

/** `args` are added to the command line, as in `["--appendonly", "yes"]`. By default nothing is written to disk. */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  const path = program("redis-server")
  if (path === undefined)
    throw new Error('no redis-server here: guard with describe.skipIf(!program("redis-server"))')
  const folder = mkdtempSync(join(tmpdir(), "holdfast-redis-"))
  let child: ChildProcess | undefined
  let port = 0

  const start = async () => {
    // Between finding a port and taking it, somebody else may take it.
    for (let attempt = 1; child === undefined; attempt++) {
      if (port === 0 || attempt > 1) port = await freePort()
      child = await launch(path, folder, port, args)
      if (child === undefined && attempt === 5) throw new Error("redis-server does not start")
    }
  }
  const stop = async (signal: "SIGTERM" | "SIGKILL" = "SIGTERM") => {
    const running = child
    if (running === undefined) return
    child = undefined
    const exited = once(running, "exit")
    running.kill(signal)
    await exited
  }

  await start()
  const url = `redis://127.0.0.1:${port}`
  const client = plainClient(url, args)
  client.on("error", () => undefined)
  await client.connect()
  return {
    port,
    url,
    pid: () => child?.pid ?? 0,
    client,
    stop,
    start,
    async replicated() {
      // it waits for what its own connection has written
      await client.set("replicated", "")
      await client.sendCommand(["WAIT", "1", "0"])
    },
    async destroy() {
      client.destroy()
      await stop("SIGKILL")
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function plainClient(url: string, args: readonly string[]) {
  const password = args[args.indexOf("--requirepass") + 1]
  return createClient({
    url,
    socket: { reconnectStrategy: 20 },
    ...(args.includes("--requirepass") && password !== undefined && { password }),
  })
}

/** A sentinel that tells clients which server is the master. */
export interface RedisSentinel {
  readonly port: number
  /** Makes the replica the master, also when the master is gone. Resolves when the sentinel has begun with it. */
  readonly failOver: () => Promise<void>
  readonly destroy: () => Promise<void>
}

/** `masterPort` is known to it as "main", and has a replica. Resolves when it knows the replica. */
export async function startRedisSentinel(masterPort: number): Promise<RedisSentinel> {
  const sentinel = await startRedis(["--sentinel"])
  const ask = (...args: string[]) => sentinel.client.sendCommand(["SENTINEL", ...args])
  await ask("MONITOR", "main", "127.0.0.1", String(masterPort), "1")
  // So that it takes no server for dead by itself because the machine is busy.
  await ask("SET", "main", "down-after-milliseconds", String(3_600_000))
  while (Object.keys((await ask("REPLICAS", "main")) as object).length === 0);
  return {
    port: sentinel.port,
    async failOver() {
      for (;;) {
        try {
          return void (await ask("FAILOVER", "main"))
        } catch (error) {
          // It has not heard of the replica for some seconds, or not yet.
          if (!String(error).includes("NOGOODSLAVE")) throw error
        }
      }
    },
    destroy: sentinel.destroy,
  }
}

/** A Redis Cluster of three processes, each with a third of the slots. */
export interface RedisCluster {
  readonly servers: readonly RedisServer[]
  /** A client as users make one, not connected. */
  readonly client: () => ReturnType<typeof createCluster>
  readonly flush: () => Promise<void>
  readonly destroy: () => Promise<void>
}

const SLOTS = [
  [0, 5460],
  [5461, 10922],
  [10923, 16383],
] as const

export async function startRedisCluster(args: readonly string[] = []): Promise<RedisCluster> {
  const servers = await Promise.all(SLOTS.map(() => startRedis(["--cluster-enabled", "yes", ...args])))
  const rootNodes = servers.map(({ url }) => ({ url }))
  for (const [index, { client }] of servers.entries()) {
    await client.sendCommand(["CLUSTER", "ADDSLOTSRANGE", ...(SLOTS[index] ?? []).map(String)])
    // Their nodes' names conflict in nothing; but two with the same epoch would have to find that out first.
    await client.sendCommand(["CLUSTER", "SET-CONFIG-EPOCH", String(index + 1)])
  }
  const [first, ...others] = servers
  for (const { port } of others) {
    await first?.client.sendCommand(["CLUSTER", "MEET", "127.0.0.1", String(port)])
  }
  await Promise.all(servers.map(isFormed))
  return {
    servers,
    client: () => createCluster({ rootNodes }),
    flush: async () => void (await Promise.all(servers.map(({ client }) => client.flushAll()))),
    destroy: async () => void (await Promise.all(servers.map((server) => server.destroy()))),
  }
}

/** A replica in a cluster. */
export interface ClusterReplica extends RedisServer {
  /** Takes the slots of its master, which need not answer. No vote is held, as its outcome depends on timing. */
  readonly takeOver: () => Promise<void>
}

/** A replica of the first server. Resolves when it has what that one has, and all servers know it as its replica. */
export async function startClusterReplica(
  { servers }: RedisCluster,
  args: readonly string[] = [],
): Promise<ClusterReplica> {
  const replica = await startRedis(["--cluster-enabled", "yes", ...args])
  const ask = async ({ client }: RedisServer, ...command: string[]) =>
    String(await client.sendCommand(command))
  const [master] = servers as readonly [RedisServer]
  const masterId = await ask(master, "CLUSTER", "MYID")
  // A server that would have to hear of it from the master never does when that one falls silent first.
  for (const { port } of servers) await ask(replica, "CLUSTER", "MEET", "127.0.0.1", String(port))
  while (!(await ask(replica, "CLUSTER", "NODES")).includes(masterId));
  await ask(replica, "CLUSTER", "REPLICATE", masterId)
  while (!(await ask(replica, "INFO", "replication")).includes("master_link_status:up"));
  const line = `${await ask(replica, "CLUSTER", "MYID")} .* slave ${masterId} `
  for (const server of servers) while (!(await ask(server, "CLUSTER", "NODES")).match(line));
  return { ...replica, takeOver: async () => void (await ask(replica, "CLUSTER", "FAILOVER", "TAKEOVER")) }
}

/** Redis has no event for it, so each question is the wait for the next. */
async function isFormed({ client }: RedisServer): Promise<void> {
  for (;;) {
    const info = String(await client.sendCommand(["CLUSTER", "INFO"]))
    if (info.includes("cluster_state:ok") && info.includes("cluster_known_nodes:3")) return
  }
}

/** Resolves with undefined when the port was taken. */
async function launch(
  path: string,
  folder: string,
  port: number,
  args: readonly string[],
): Promise<ChildProcess | undefined> {
  // A sentinel does not start without a file that it can write to.
  const file = args.includes("--sentinel") ? [join(folder, "sentinel.conf")] : []
  for (const name of file) writeFileSync(name, "")
  const own = [...file, "--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--daemonize", "no"]
  const quiet = ["--save", "", "--appendonly", "no", "--loglevel", "notice", "--logfile", ""]
  // Otherwise a first replica waits for others that might come within five seconds.
  quiet.push("--repl-diskless-sync-delay", "0")
  const child = spawn(path, [...own, ...quiet, ...args], { stdio: ["ignore", "pipe", "inherit"] })
  const exited = once(child, "exit")
  const ready = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      if (/Ready to accept connections|Sentinel ID is/.test(line)) return true
    }
    await exited
    return false
  })()
  if (!(await ready)) return undefined
  // Nobody reads on; a full pipe would stop it.
  child.stdout.resume()
  return child
}
