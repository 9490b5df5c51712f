import type { Codec } from "./codec.ts"
import { encodeMsgpack } from "./msgpack-encoder.ts"
import { readAll } from "./msgpack-reader.ts"
import { DEPTH_MAX } from "./value.ts"

/** MessagePack, for binary frames. Bytes need no base64, and numbers no digits. */
export const msgpack: Codec<Uint8Array> = {
  name: "msgpack",
  encode: (message) => encodeMsgpack(message, DEPTH_MAX, false),
  decode: readAll,
}
