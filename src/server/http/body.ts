import { HoldfastError } from "../../protocol/error.ts"
import { json } from "../../protocol/json.ts"
import type { HttpRequest, RequestHeaders } from "./exchange.ts"
import { joinBytes } from "./join-bytes.ts"

/** How much more than allowed is read and thrown away, so that the sender can read why it was refused. */
const HARD_LIMIT_FACTOR = 4

const decoder = new TextDecoder()

export interface RequestBody {
  readonly value: Readonly<Record<string, unknown>>
  /** Its length as it came. */
  readonly bytes: number
}

/**
 * Reads a request's body, which has to be a JSON object.
 * @throws HoldfastError `unsupported_media_type`, `message_too_large`, `invalid_message`; something else when the peer leaves
 */
export async function readBody(request: HttpRequest, bytesMax: number): Promise<RequestBody> {
  checkContentType(request.headers)
  if (request.bodyUsed) {
    throw new TypeError(
      "the body was read before hub.handle was called, which has to come before body parsers",
    )
  }
  const bytes = await readBytes(request, bytesMax)
  const value = json.decode(decoder.decode(bytes))
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new HoldfastError("invalid_message", "The body has to be a JSON object.")
  }
  return { value: value as RequestBody["value"], bytes: bytes.byteLength }
}

function checkContentType(headers: RequestHeaders): void {
  const type = headers.get("content-type")
  if (type !== null && /^application\/json\s*(;|$)/i.test(type)) return
  const found = type === null ? "missing" : JSON.stringify(type.slice(0, 100))
  throw new HoldfastError(
    "unsupported_media_type",
    `The Content-Type has to be application/json, and is ${found}.`,
  )
}

async function readBytes({ headers, body }: HttpRequest, bytesMax: number): Promise<Uint8Array> {
  const declared = Number(headers.get("content-length") ?? 0)
  if (declared > bytesMax * HARD_LIMIT_FACTOR) throw tooLarge(bytesMax)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > bytesMax * HARD_LIMIT_FACTOR) break
    if (bytes <= bytesMax) chunks.push(chunk)
    else chunks.length = 0
  }
  if (bytes > bytesMax) throw tooLarge(bytesMax)
  return joinBytes(chunks)
}

function tooLarge(limit: number): HoldfastError {
  return new HoldfastError("message_too_large", `The body has more than ${limit} bytes.`, { limit })
}
