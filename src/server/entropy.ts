import { createHash, randomBytes } from "node:crypto"
import type { Entropy } from "../hub/entropy.ts"

const DIGEST_LENGTH = 22

/** Randomness and digests of Node. */
export const nodeEntropy: Entropy = {
  random: () => Math.random(),
  // 16 bytes are 128 bits, and 22 characters.
  uniqueId: () => randomBytes(16).toString("base64url"),
  digest: (text) => createHash("sha256").update(text).digest("base64url").slice(0, DIGEST_LENGTH),
}
