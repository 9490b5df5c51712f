import type { Codec } from "../../protocol/codec.ts"
import { json } from "../../protocol/json.ts"
import { subprotocols } from "../../protocol/message.ts"
import { msgpack } from "../../protocol/msgpack.ts"

/** What a subprotocol makes of messages: the codec, and the kind of frame that carries it. */
export interface WireFormat {
  readonly codec: Pick<Codec, "name" | "encode">
  /** Whether messages come in binary frames. */
  readonly binary: boolean
  /** @throws HoldfastError `invalid_message` */
  readonly decode: (payload: Buffer) => unknown
}

/** By subprotocol. */
export const wireFormats: ReadonlyMap<string, WireFormat> = new Map([
  [
    subprotocols.json,
    { codec: json, binary: false, decode: (payload: Buffer) => json.decode(payload.toString("utf8")) },
  ],
  [
    subprotocols.msgpack,
    { codec: msgpack, binary: true, decode: (payload: Buffer) => msgpack.decode(payload) },
  ],
])
