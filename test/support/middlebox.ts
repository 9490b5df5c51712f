import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { connect as dial } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "./free-port.ts"
import { program } from "./program.ts"

/** A proxy or balancer that runs as a process of its own. */
export interface Middlebox {
  readonly port: number
  /** Takes a new configuration, or the same anew. Connections that are there are cut within a second. */
  readonly reload: (configuration?: Configuration) => void
  readonly stop: () => Promise<void>
}

type ProxyName = "nginx" | "haproxy"

/** For the port that it is given: what is in nginx's `http { … }`, or the sections of haproxy. */
export type Configuration = (port: number) => string

/** What stands around a configuration, and how the program is told to use it. */
interface Frame {
  readonly file: (configuration: string) => string
  readonly args: (folder: string, file: string) => readonly string[]
  readonly reload: NodeJS.Signals
}

const FRAMES: Readonly<Record<ProxyName, Frame>> = {
  nginx: {
    file: (configuration) => `
      daemon off;
      ${process.getuid?.() === 0 ? "user root;" : ""}
      worker_processes 1;
      worker_shutdown_timeout 1s;
      pid nginx.pid;
      error_log stderr error;
      events { worker_connections 1024; }
      http {
        access_log off;
        client_body_temp_path body;
        proxy_temp_path proxy;
        fastcgi_temp_path fastcgi;
        uwsgi_temp_path uwsgi;
        scgi_temp_path scgi;
        ${configuration}
      }
    `,
    args: (folder, file) => ["-p", folder, "-e", "stderr", "-c", file],
    reload: "SIGHUP",
  },
  haproxy: {
    file: (configuration) => `global\n  maxconn 1024\n  hard-stop-after 1s\n${configuration}\n`,
    args: (_folder, file) => ["-W", "-db", "-f", file],
    reload: "SIGUSR2",
  },
}

export async function startMiddlebox(name: ProxyName, configuration: Configuration): Promise<Middlebox> {
  const path = program(name)
  if (path === undefined) throw new Error(`no ${name} here: guard with describe.skipIf(!program("${name}"))`)
  const frame = FRAMES[name]
  const folder = mkdtempSync(join(tmpdir(), `holdfast-${name}-`))
  const file = join(folder, `${name}.conf`)
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    writeFileSync(file, frame.file(configuration(port)))
    const child = spawn(path, frame.args(folder, file), { stdio: ["ignore", "pipe", "pipe"] })
    const output: Buffer[] = []
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk))
    child.stderr.on("data", (chunk: Buffer) => output.push(chunk))
    if (await accepts(port, child)) {
      return {
        port,
        reload(next = configuration) {
          writeFileSync(file, frame.file(next(port)))
          child.kill(frame.reload)
        },
        async stop() {
          await end(child)
          rmSync(folder, { recursive: true, force: true })
        },
      }
    }
    // somebody else may have taken the port; a configuration that is wrong stays so
    if (attempt === 3) throw new Error(`${name} does not start:\n${Buffer.concat(output)}`)
  }
}

/** Resolves with false when the process ends. There is no event for it, so each attempt is the wait for the next. */
async function accepts(port: number, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const socket = dial(port, "127.0.0.1")
    const connected = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true))
      socket.once("error", () => resolve(false))
    })
    socket.destroy()
    if (connected) return true
  }
  return false
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, "exit")
  // at once, with its workers
  child.kill("SIGTERM")
  await exited
}
