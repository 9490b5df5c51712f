import type { Account, Dedupe } from "../../log/operation.ts"
import type { CodecName } from "../../protocol/codec.ts"
import { jsonText } from "../../protocol/json.ts"
import { BODY_DEPTH_MAX } from "../../protocol/value.ts"
import type { Limits } from "../limits.ts"
import type { Entropy } from "../ports/entropy.ts"

/** What the log has to know of the publisher of an entry. */
export interface Author {
  /** In which the payload is kept. Default: the one that suits the value. */
  readonly codec?: CodecName
  /** What makes a repetition find the first one. */
  readonly dedupe?: Dedupe
  /** Default: none, for what the server's own code publishes. It is counted by the limits of the log alone. */
  readonly account?: Account
}

/** What is asked for: the same idempotency key for something else is a conflict. */
export interface Asked {
  readonly type: "publish" | "set" | "delete"
  readonly name: string
  readonly key?: string
  readonly data?: unknown
}

/** A client, as the log tells clients apart. */
export interface Client {
  readonly userId: string | undefined
  readonly member: string
  readonly codec: CodecName
}

/** Makes the authors of entries. */
export class Authors {
  readonly #entropy: Entropy
  readonly #limits: Limits

  constructor(entropy: Entropy, limits: Limits) {
    this.#entropy = entropy
    this.#limits = limits
  }

  /**
   * Keys count within the user, or within the session where there is none: no user can take the
   * keys of another, or use up its quota.
   * @throws HoldfastError `invalid_value` when the payload is nested too deep to be kept
   */
  client({ userId, member, codec }: Client, asked: Asked & { readonly idempotencyKey: string }): Author {
    const { keysPerUserMax: keysMax, idempotencyKeysPerUserMax: idempotencyKeysMax } = this.#limits
    const name = userId === undefined ? `member/${member}` : `user/${userId}`
    return {
      codec,
      dedupe: this.#dedupe(name, asked.idempotencyKey, asked),
      account: { name, keysMax, idempotencyKeysMax },
    }
  }

  /** @throws HoldfastError `invalid_value` when the payload cannot travel, or is nested too deep to be kept */
  server(idempotencyKey: string | undefined, asked: Asked): Author {
    return idempotencyKey === undefined ? {} : { dedupe: this.#dedupe("server", idempotencyKey, asked) }
  }

  #dedupe(scope: string, idempotencyKey: string, asked: Asked): Dedupe {
    return {
      // as JSON, for both may hold any character
      key: JSON.stringify([scope, idempotencyKey]),
      fingerprint: this.#fingerprint(asked),
      windowMs: this.#limits.idempotencyWindowMs,
    }
  }

  /** The same in whichever codec it was asked for: a client may repeat it over another transport. */
  #fingerprint({ type, name, key, data }: Asked): string {
    const { digest } = this.#entropy
    // hashed on their own, bytes need no base64
    const ofBytes = (bytes: Uint8Array) => ({ $bytes: digest(bytes) })
    const payload = data === undefined ? "" : jsonText(data, BODY_DEPTH_MAX, ofBytes)
    return digest(JSON.stringify([type, name, key]) + payload)
  }
}
