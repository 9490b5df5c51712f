import type { IncomingMessage } from "node:http"
import type { Contract } from "../../contract/index.ts"
import type { HubOptions } from "../../hub/api/options.ts"
import type { GivenLimits } from "../../hub/limits.ts"
import type { Origins } from "../http/origin.ts"
import type { ServerLimits } from "../limits.ts"
import type { CompressionOptions } from "../websocket/compression.ts"

/** What a hub on Node is made of, beside the contract. */
export interface CreateHubOptions<C extends Contract, User> extends HubOptions<C, User, IncomingMessage> {
  /** Which web pages may connect. Default: those of the same host. */
  readonly origins?: Origins | undefined
  /** Compresses messages for clients that can take it; `{}` for the defaults. Default: not. */
  readonly compression?: CompressionOptions | undefined
  readonly limits?: GivenLimits<ServerLimits> | undefined
}
