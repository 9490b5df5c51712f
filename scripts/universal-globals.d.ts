// The few globals that every JavaScript runtime has (WinterTC's minimum common API) and that the pure layers may use.
// TypeScript ships them only with the DOM or with Node's types, and neither is in reach of those layers.

declare class TextEncoder {
  readonly encoding: string
  encode(input?: string): Uint8Array<ArrayBuffer>
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number }
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean })
  readonly encoding: string
  decode(input?: ArrayBufferView | ArrayBuffer, options?: { stream?: boolean }): string
}

declare class URL {
  static canParse(url: string): boolean
  constructor(url: string)
  readonly protocol: string
  readonly host: string
  readonly hostname: string
}

declare class URLSearchParams {
  constructor(query?: string)
  has(name: string): boolean
  get(name: string): string | null
  getAll(name: string): string[]
}

/** The bytes of base64 text, as one character each; and back. */
declare function atob(base64: string): string
declare function btoa(bytes: string): string
