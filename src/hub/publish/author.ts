import type { Account, Dedupe } from "../../log/operation.ts"
import { encodeBody } from "../../protocol/msgpack.ts"
import type { Limits } from "../limits.ts"
import type { Entropy } from "../ports/entropy.ts"

/** Who publishes an entry, as far as the log has to know. */
export interface Author {
  /** What makes a repetition find the first one. */
  readonly dedupe?: Dedupe
  /** Default: the entry counts for nobody, as all that the server's own code publishes. */
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
}

/** Tells the log who publishes. */
export class Authors {
  readonly #entropy: Entropy
  readonly #limits: Limits

  constructor(entropy: Entropy, limits: Limits) {
    this.#entropy = entropy
    this.#limits = limits
  }

  /**
   * A key counts within its user, or within its session where there is none: nobody can take another's.
   * @throws HoldfastError `invalid_value` when the payload is nested too deep to be kept
   */
  client({ userId, member }: Client, asked: Asked & { readonly idempotencyKey: string }): Author {
    const scope = userId === undefined ? ["member", member] : ["user", userId]
    return { dedupe: this.#dedupe(scope, asked.idempotencyKey, asked) }
  }

  /** @throws HoldfastError `invalid_value` as `client` does */
  server(idempotencyKey: string | undefined, asked: Asked): Author {
    return idempotencyKey === undefined ? {} : { dedupe: this.#dedupe(["server"], idempotencyKey, asked) }
  }

  #dedupe(scope: readonly string[], idempotencyKey: string, { type, name, key, data }: Asked): Dedupe {
    const asked = [type, name, key ?? null, data === undefined ? null : encodeBody(data)]
    return {
      // as JSON, for scope and key may hold any character
      key: JSON.stringify([...scope, idempotencyKey]),
      fingerprint: this.#entropy.digest(encodeBody(asked)),
      windowMs: this.#limits.idempotencyWindowMs,
    }
  }
}
