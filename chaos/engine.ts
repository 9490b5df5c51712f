import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../test/support/free-port.ts"
import { type Child, child } from "./child.ts"

/** A Redis that keeps what it acknowledges, in a folder of its own. */
export interface Engine extends Child {
  readonly port: number
  /** Remembers what is on its disk now. */
  readonly backUp: () => void
  /** Puts back what was remembered: everything since is lost. Only while it does not run. */
  readonly restore: () => void
  readonly remove: () => void
}

export async function createEngine(): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), "chaos-engine-"))
  const [files, backup] = [join(folder, "appendonlydir"), join(folder, "backup")]
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once("exit", remove)
  const port = await freePort()
  const options = {
    port,
    bind: "127.0.0.1",
    dir: folder,
    save: "",
    appendonly: "yes",
    appendfsync: "always",
    loglevel: "notice",
    logfile: "",
  }
  return {
    ...child({
      program: process.env.HOLDFAST_REDIS_SERVER ?? "redis-server",
      args: () => Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
      ready: /Ready to accept connections/,
    }),
    port,
    backUp() {
      rmSync(backup, { recursive: true, force: true })
      cpSync(files, backup, { recursive: true })
    },
    restore() {
      if (!existsSync(backup)) return
      rmSync(files, { recursive: true, force: true })
      cpSync(backup, files, { recursive: true })
    },
    remove() {
      process.off("exit", remove)
      remove()
    },
  }
}
