/** A process with an LMDB log, for tests that kill it: `node lmdb-child.ts COMMAND FOLDER`. */
import { createInterface } from "node:readline"
import type { Append, Extend, Put } from "../../src/log/operation.ts"
import { type LmdbLogOptions, lmdbLog } from "../../src/logs/lmdb/index.ts"

const [command = "", folder = "", json = "{}"] = process.argv.slice(2)
const {
  keep: keepEntries,
  bodyBytes = 40,
  ...options
} = JSON.parse(json) as LmdbLogOptions & {
  readonly keep?: number
  readonly bodyBytes?: number
}
const forever = { forMs: Number.POSITIVE_INFINITY, removalsForMs: Number.POSITIVE_INFINITY }
const retention = { entries: keepEntries ?? Number.POSITIVE_INFINITY, bytes: 1e9, ...forever }

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

function fact(text: string): Append {
  const body = Buffer.alloc(bodyBytes, " ")
  body.write(text)
  return { operation: "append", collection: "facts", key: "said", body, at: Date.now() }
}

function put(key: string, text: string): Put {
  return { operation: "put", collection: "keys", key, body: Buffer.from(text), at: Date.now() }
}

const commands: Readonly<Record<string, () => Promise<void>>> = {
  /** Twenty publishers that append as fast as they can and say what was acknowledged. */
  async publish() {
    const log = lmdbLog(folder, options)
    const run = `${process.pid}`
    const publish = async (publisher: number) => {
      for (let count = 0; ; count++) {
        const text = `${run} ${publisher} ${count}`
        const dedupe = { key: text, fingerprint: "", windowMs: 300_000 }
        const channel = `channel ${publisher % 4}`
        const { position } = await log.append(channel, fact(text), { retention, dedupe })
        say({ channel, text, ...position })
        if (count % 3 === 0) {
          await log.append("state", put(`${publisher}`, text), { retention })
          await log.append("state", { ...put(`${publisher}`, " more"), operation: "extend" } as Extend, {
            retention,
          })
        }
      }
    }
    await Promise.all(Array.from({ length: 20 }, (_, publisher) => publish(publisher)))
  },

  /** Opens, says so, and stays. */
  async hold() {
    lmdbLog(folder, options)
    say({ opened: true })
    await new Promise(() => setInterval(() => undefined, 1_000))
  },

  /** Reads a channel for each line that comes in. */
  async read() {
    const log = lmdbLog(folder, { ...options, readOnly: true })
    for await (const channel of createInterface({ input: process.stdin })) {
      const range = { after: 0, through: 1e9, select: "all", entriesMax: 1e6, bytesMax: 1e9 } as const
      const { head, entries } = await log.read(channel, range)
      say({ head, texts: entries.map(({ body }) => Buffer.from(body).toString().trim()) })
    }
    await log.close()
  },

  /** Appends one entry for each line that comes in, and says how that went and what can be read. */
  async fill() {
    // Beyond the limit that the test has set for the size of files, the system sends this; ignored, the write fails.
    process.on("SIGXFSZ", () => undefined)
    const log = lmdbLog(folder, { onError: () => undefined, ...options })
    say({ opened: true })
    for await (const text of createInterface({ input: process.stdin })) {
      const outcome = await log.append("a", fact(text), { retention }).then(
        ({ position }) => ({ offset: position.offset }),
        ({ code }: { code: string }) => ({ code }),
      )
      const { top } = await log.head("a")
      const range = { after: 0, through: 1e9, select: "all", entriesMax: 1e6, bytesMax: 1e9 } as const
      const { entries } = await log.read("a", range)
      say({ ...outcome, top, count: entries.length })
    }
    await log.close()
  },

  /** Opens as a user who may not write, and says what that one can do. */
  async lookOn() {
    if (process.getuid?.() === 0) process.setuid?.(65_534)
    const log = lmdbLog(folder, options)
    const { top } = await log.head("a")
    const refused = await log
      .append("a", fact("x"), { retention })
      .catch(({ code }: { code: string }) => code)
    say({ top, refused })
    await log.close()
  },
}

try {
  await commands[command]?.()
} catch (error) {
  const { code, message } = error as { readonly code?: string; readonly message: string }
  say({ failed: code ?? message })
  process.exitCode = 1
}
