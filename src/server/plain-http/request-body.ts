import { Buffer } from "node:buffer"
import type { IncomingMessage } from "node:http"
import { HoldfastError } from "../../protocol/error.ts"
import { json } from "../../protocol/json.ts"

/** How much more than allowed is read and thrown away, so that its sender gets to read why it was refused. */
const HARD_LIMIT_FACTOR = 4

export interface RequestBody {
  readonly value: Readonly<Record<string, unknown>>
  /** Its length as it came. */
  readonly bytes: number
}

/**
 * Reads a request's body, which has to be a JSON object.
 * @throws HoldfastError `unsupported_media_type`, `message_too_large`, `invalid_message`; something else when the peer goes
 */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<RequestBody> {
  checkContentType(request)
  if (request.readableEnded) {
    throw new TypeError(
      "the body was read before hub.handle was called, which has to come before body parsers",
    )
  }
  const text = await readText(request, bytesMax)
  const value = json.decode(text.toString("utf8"))
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new HoldfastError("invalid_message", "The body has to be a JSON object.")
  }
  return { value: value as RequestBody["value"], bytes: text.byteLength }
}

function checkContentType({ headers }: IncomingMessage): void {
  const type = headers["content-type"]
  if (type !== undefined && /^application\/json\s*(;|$)/i.test(type)) return
  const found = type === undefined ? "missing" : JSON.stringify(type.slice(0, 100))
  throw new HoldfastError(
    "unsupported_media_type",
    `The Content-Type has to be application/json, and is ${found}.`,
  )
}

async function readText(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const declared = Number(request.headers["content-length"] ?? 0)
  if (declared > bytesMax * HARD_LIMIT_FACTOR) throw tooLarge(bytesMax)
  const chunks: Buffer[] = []
  let bytes = 0
  // left early, the request must not take the response along
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    if (bytes > bytesMax * HARD_LIMIT_FACTOR) break
    if (bytes <= bytesMax) chunks.push(chunk)
    else chunks.length = 0
  }
  if (bytes > bytesMax) throw tooLarge(bytesMax)
  return Buffer.concat(chunks)
}

function tooLarge(limit: number): HoldfastError {
  return new HoldfastError("message_too_large", `The body has more than ${limit} bytes.`, { limit })
}
