import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

const SERVER = fileURLToPath(new URL("../../playground/dist/server.js", import.meta.url))

export interface PlaygroundProcess {
  readonly url: string
  readonly port: number
  /** Ends it with a signal; resolves with its exit code, null when the signal ended it. */
  readonly end: (signal: NodeJS.Signals) => Promise<number | null>
}

/** Starts the built playground as `npm start` does; resolves when it says where it is. Port 0: any that is free. */
export async function startPlayground(port = 0): Promise<PlaygroundProcess> {
  const child = spawnPlayground(port)
  const url = await announcedUrl(child)
  return {
    url,
    port: Number(new URL(url).port),
    end: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
      const exited = once(child, "exit")
      child.kill(signal)
      await exited
      return child.exitCode
    },
  }
}

/** Starts the playground where it cannot start; resolves with how it ended and what it said. */
export async function startInVain(port: number): Promise<{ code: number | null; output: string }> {
  const child = spawnPlayground(port)
  let output = ""
  child.stdout?.on("data", (chunk) => {
    output += chunk
  })
  child.stderr?.on("data", (chunk) => {
    output += chunk
  })
  await once(child, "close")
  return { code: child.exitCode, output }
}

function spawnPlayground(port: number): ChildProcess {
  return spawn(process.execPath, ["--enable-source-maps", SERVER], {
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
  })
}

function announcedUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ""
    const collect = (chunk: Buffer) => {
      output += chunk
      const url = output.match(/http:\/\/\S+/)?.[0]
      if (url !== undefined) resolve(url)
    }
    child.stdout?.on("data", collect)
    child.stderr?.on("data", collect)
    child.once("error", reject)
    child.once("exit", (code) => reject(new Error(`The playground ended with ${code}:\n${output}`)))
  })
}
