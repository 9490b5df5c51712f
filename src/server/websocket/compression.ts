import { constants, deflateRawSync } from "node:zlib"

/** How messages are compressed (permessage-deflate, RFC 7692). */
export interface Compression {
  /** Smaller messages go as they are: compressing them costs more than it saves. Bytes. */
  readonly thresholdBytes: number
  /** zlib's level, from 1 (fast) to 9 (small). */
  readonly level: number
}

/** Undefined is the default. */
export interface CompressionOptions {
  readonly thresholdBytes?: number | undefined
  readonly level?: number | undefined
}

/** What `compression: {}` stands for. */
export const defaultCompression: Compression = { thresholdBytes: 1024, level: 4 }

/** A flush leaves an empty block at the end, which the receiver adds by itself (RFC 7692 7.2.1). */
const TAIL_BYTES = 4

/**
 * The payload of a compressed frame. Each message stands alone (no context takeover), so every connection that
 * negotiated compression can be given the same bytes.
 */
export function deflate(bytes: Uint8Array, level: number): Uint8Array {
  const deflated = deflateRawSync(bytes, { level, finishFlush: constants.Z_SYNC_FLUSH })
  return deflated.subarray(0, deflated.byteLength - TAIL_BYTES)
}

/** What `ws` needs to negotiate compression, and to receive it. It never sends: what is sent is framed by `encoding.ts`. */
export const handshakeCompression = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
} as const

/**
 * Whether every offer of a `Sec-WebSocket-Extensions` header asks the server for a smaller window. Such an offer has to be
 * declined: the one compressed frame that is shared uses the whole window.
 */
export function asksForSmallerWindow(extensions: string): boolean {
  const offers = extensions.split(",").filter((offer) => /^\s*permessage-deflate\b/.test(offer))
  return (
    offers.length > 0 && offers.every((offer) => /;\s*server_max_window_bits\s*=\s*"?(?!15\b)/.test(offer))
  )
}
