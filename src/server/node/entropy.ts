import { Buffer } from "node:buffer"
import { hash, randomBytes } from "node:crypto"
import type { Entropy } from "../../hub/ports/entropy.ts"

/** 128 bits, 22 characters. */
const ID_BYTES = 16

/** Randomness and digests of Node. */
export const nodeEntropy: Entropy = {
  random: () => Math.random(),
  uniqueId: () => randomBytes(ID_BYTES).toString("base64url"),
  // The bytes are cut, not the text: a cut text would keep the whole one in memory, for every connection.
  digest: (text) => Buffer.from(hash("sha256", text, "binary"), "binary").toString("base64url", 0, ID_BYTES),
}
