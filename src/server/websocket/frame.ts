/**
 * WebSocket frames as a server writes them (RFC 6455 5.2): never masked, and whole messages only, so FIN is always set.
 * Pure: it lays out bytes and touches nothing else.
 */
export const opcodes = { text: 0x1, binary: 0x2 } as const

export type Opcode = (typeof opcodes)[keyof typeof opcodes]

const FIN = 0x80
/** Says that the payload is compressed (RFC 7692 6). */
const RSV1 = 0x40
const LENGTH_16_BIT = 126
const LENGTH_64_BIT = 127
const UINT32 = 0x1_0000_0000

/** How many bytes stand before a payload of `payloadBytes`: 2, 4 or 10. */
export function frameHeaderBytes(payloadBytes: number): 2 | 4 | 10 {
  if (payloadBytes < LENGTH_16_BIT) return 2
  return payloadBytes <= 0xffff ? 4 : 10
}

/** Writes the header to the start of `target`. Returns how many bytes it took. */
export function writeFrameHeader(
  target: Uint8Array,
  opcode: Opcode,
  payloadBytes: number,
  compressed = false,
): number {
  target[0] = FIN | (compressed ? RSV1 : 0) | opcode
  const headerBytes = frameHeaderBytes(payloadBytes)
  if (headerBytes === 2) {
    target[1] = payloadBytes
  } else if (headerBytes === 4) {
    target[1] = LENGTH_16_BIT
    writeUint16(target, 2, payloadBytes)
  } else {
    target[1] = LENGTH_64_BIT
    const high = Math.floor(payloadBytes / UINT32)
    writeUint16(target, 2, high >>> 16)
    writeUint16(target, 4, high & 0xffff)
    const low = payloadBytes % UINT32
    writeUint16(target, 6, low >>> 16)
    writeUint16(target, 8, low & 0xffff)
  }
  return headerBytes
}

function writeUint16(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 8
  target[at + 1] = value & 0xff
}
