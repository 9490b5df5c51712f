export interface PublishOptions {
  /** Makes a repetition harmless also over a restart of this program. Default: a fresh key. */
  readonly idempotencyKey?: string | undefined
  /** After this time it is given up, in ms; it may have been published all the same. */
  readonly timeoutMs?: number | undefined
}
