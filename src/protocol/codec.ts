export type CodecName = "json" | "msgpack"

/**
 * Turns messages to what one WebSocket frame carries, and back. `json` speaks strings (text frames), `msgpack` speaks
 * bytes (binary frames). Both carry the same values: null, booleans, finite numbers, strings, `Uint8Array`, arrays and
 * plain objects.
 */
export interface Codec<Wire extends string | Uint8Array = string | Uint8Array> {
  readonly name: CodecName
  /**
   * @throws HoldfastError `invalid_value` with the path of a value that cannot travel (NaN, bigint, function, class
   * instance, cycle); `undefined` members of objects are left out.
   */
  readonly encode: (message: unknown) => Wire
  /** @throws HoldfastError `invalid_message` when the bytes are not well-formed. */
  readonly decode: (wire: Wire) => unknown
}
