const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 8
  for (let bit = 0; bit < 8; bit++) value = value & 0x8000 ? (value << 1) ^ 0x1021 : value << 1
  return value
})

/** CRC-16/XMODEM, by which Redis Cluster puts keys into slots. */
export function crc16(bytes: Uint8Array): number {
  let value = 0
  for (const byte of bytes) value = ((value << 8) ^ (TABLE[(value >> 8) ^ byte] as number)) & 0xffff
  return value
}
