/** What an error says beside its code and its sentence. */
export interface ErrorDetail {
  /** Where in the payload, dotted, as in `items.3.price`. */
  readonly path?: string | undefined
  /** The limit that was hit, in the unit that its name carries. */
  readonly limit?: number | undefined
  /** Of `superseded`: the lowest version that is accepted now. Of `version_ahead`: the server's time in ms since 1970. */
  readonly version?: number | undefined
  /** The data of an error that a call declares. */
  readonly data?: unknown | undefined
}

/** The one error class of Holdfast. `code` is an `ErrorCode`, or one that a call of the contract declares. */
export class HoldfastError extends Error {
  override readonly name = "HoldfastError"
  readonly code: string
  // "declare": a detail that was not given is no member either
  declare readonly path?: string
  declare readonly limit?: number
  declare readonly version?: number
  declare readonly data?: unknown

  constructor(code: string, message: string = code, detail: ErrorDetail = {}) {
    super(message)
    this.code = code
    if (detail.path !== undefined) this.path = detail.path
    if (detail.limit !== undefined) this.limit = detail.limit
    if (detail.version !== undefined) this.version = detail.version
    if (detail.data !== undefined) this.data = detail.data
  }
}
