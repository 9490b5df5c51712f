import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import type { Connection } from "./connection.ts"
import { isUnknownScript, otherFormat } from "./failure.ts"
import type { Place } from "./keys.ts"
import type { Argument } from "./session.ts"

/** The format of what is stored. It stands in every partition, and scripts touch none that has another. */
export const FORMAT = "holdfast 2"

interface Script {
  readonly text: string
  readonly digest: string
}

const READ = ["channel", "request", "value", "search", "page", "growing", "backward", "forward", "read"]
const WRITE = [
  "channel",
  "batch",
  "code",
  "epoch",
  "head",
  "expiry",
  "tally",
  "idempotency",
  "facts",
  "value",
  "condition",
  "retention",
  "keyed",
  "maintenance",
  "write",
]

const LOADER = `local modules, loaded = {}, {}
local function require(name)
  local module = loaded[name]
  if module == nil then
    module = modules[name]()
    loaded[name] = module
  end
  return module
end`

export const readScript = script(READ, "#!lua flags=no-writes\n")
export const writeScript = script(WRITE)

/** Makes a script of files in lua/, each a module that is loaded when it is required. The last one is the script. */
function script(files: readonly string[], start = ""): Script {
  const modules = files.map((file) => {
    const text = readFileSync(new URL(`lua/${file}.lua`, import.meta.url), "utf8")
    return `modules['${file}'] = function()\n${text}end`
  })
  const text = [`${start}${LOADER}`, ...modules, `return require('${files.at(-1)}')`].join("\n")
  return { text, digest: createHash("sha1").update(text).digest("hex") }
}

/** Runs a script. Redis forgets scripts when it restarts, or is told to; only then the text is sent. */
export async function runScript(
  connection: Connection,
  { text, digest }: Script,
  { keys }: Place,
  args: readonly Argument[],
  untilMs: number,
  handleSent?: () => void,
): Promise<unknown[]> {
  const key = keys[0] as string
  const operands = [String(keys.length), ...keys, FORMAT, ...args]
  const answer = await connection
    .send(key, ["EVALSHA", digest, ...operands], untilMs, handleSent)
    .catch((error: unknown) => {
      if (!isUnknownScript(error)) throw error
      return connection.send(key, ["EVAL", text, ...operands], untilMs)
    })
  const fields = answer as unknown[]
  if (fields[0] === 1) throw otherFormat(String(fields[1]), FORMAT)
  return fields
}
