import type { Codec } from "../protocol/codec.ts"
import { HoldfastError } from "../protocol/error.ts"
import { json } from "../protocol/json.ts"
import type { ServerMessage } from "../protocol/message.ts"
import type { Wire } from "./transport.ts"

/** From messages to what travels, and back: text is JSON, whatever the codec, as plain HTTP carries nothing else. */
export function wiresOf(codec: Codec) {
  return {
    /** @throws HoldfastError `invalid_value` */
    encode: (message: object): Wire => {
      try {
        return codec.encode(message)
      } catch (error) {
        const { code, message: text, path } = error as HoldfastError
        // what the caller passed is the payload, not the message around it
        throw new HoldfastError(code, text, { path: `${path}`.replace(/^data\.?/, "") })
      }
    },
    /** @throws HoldfastError `invalid_message` */
    decode: (wire: Wire) => (typeof wire === "string" ? json : codec).decode(wire as never) as ServerMessage,
  }
}
