import { createHash } from "node:crypto"
import type { Connection } from "./connection.ts"
import { isUnknownScript, otherFormat } from "./failure.ts"
import type { Place } from "./keys.ts"
import { READ_SCRIPT } from "./read-script.ts"
import type { Argument } from "./session.ts"
import { WRITE_SCRIPT } from "./write-script.ts"

/** The format of what is stored. It stands in every partition, and scripts touch none that has another. */
export const FORMAT = "holdfast 1"

interface Script {
  readonly text: string
  readonly digest: string
}

export const writeScript = script(WRITE_SCRIPT)
export const readScript = script(READ_SCRIPT)

function script(text: string): Script {
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
