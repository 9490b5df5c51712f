import { Buffer } from "node:buffer"
import { CLOSE_REASON_BYTES_MAX } from "../../protocol/close.ts"

/** `reason`, cut at a character's end so that a close frame can carry it. */
export function fitCloseReason(text: string): string {
  // Whoever cut it before may have cut a pair in two.
  const reason = text.replace(/[\uD800-\uDBFF]$/, "")
  if (reason.length * 3 <= CLOSE_REASON_BYTES_MAX) return reason
  const bytes = Buffer.from(reason)
  if (bytes.byteLength <= CLOSE_REASON_BYTES_MAX) return reason
  let end = CLOSE_REASON_BYTES_MAX
  // 10xxxxxx is inside of a character: go back to where one begins.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.toString("utf8", 0, end)
}
