import type { CodecName } from "./codec.ts"

/** A value that is encoded already: messages that hold it are written around its bytes. */
export class EncodedValue {
  /** Its bytes in this codec. */
  readonly in: (codec: CodecName) => Uint8Array

  constructor(bytesIn: (codec: CodecName) => Uint8Array) {
    this.in = bytesIn
  }
}
