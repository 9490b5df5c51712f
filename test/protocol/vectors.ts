import { readFileSync } from "node:fs"

/**
 * A value in a form that any language can read without a loss: `["bytes", "00ff"]`, `["object", [["key", value], ...]]`
 * and so on.
 */
export type Tagged =
  | readonly ["null"]
  | readonly ["boolean", boolean]
  | readonly ["number", number]
  | readonly ["string", string]
  | readonly ["bytes", string]
  | readonly ["array", readonly Tagged[]]
  | readonly ["object", readonly (readonly [string, Tagged])[]]

interface Vectors {
  /** What both codecs write for a value, exactly. */
  readonly exact: readonly {
    readonly name: string
    readonly value: Tagged
    readonly json: string
    readonly msgpack: string
  }[]
  /** What no encoder of Holdfast writes, but every decoder takes. */
  readonly accepted: readonly (
    | { readonly name: string; readonly value: Tagged; readonly json: string }
    | { readonly name: string; readonly value: Tagged; readonly msgpack: string }
  )[]
  /** What every decoder refuses. */
  readonly refused: readonly (
    | { readonly name: string; readonly json: string }
    | { readonly name: string; readonly msgpack: string }
  )[]
}

export const vectors: Vectors = JSON.parse(readFileSync(new URL("./vectors.json", import.meta.url), "utf8"))

export function untag(tagged: Tagged): unknown {
  switch (tagged[0]) {
    case "null":
      return null
    case "bytes":
      return fromHex(tagged[1])
    case "array":
      return tagged[1].map(untag)
    case "object":
      return Object.fromEntries(tagged[1].map(([key, value]) => [key, untag(value)]))
    default:
      return tagged[1]
  }
}

/** Spaces are for the reader. */
export function fromHex(hex: string): Uint8Array {
  const digits = hex.replaceAll(/\s/g, "")
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error(`no hexadecimal bytes: ${hex}`)
  return new Uint8Array(Buffer.from(digits, "hex"))
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")
}
