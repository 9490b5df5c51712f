import { describe, expect, test } from "vitest"
import { frameHeaderBytes, opcodes, writeFrameHeader } from "../../../src/server/websocket/frame.ts"

function header(payloadBytes: number, compressed = false): number[] {
  const target = new Uint8Array(10)
  const length = writeFrameHeader(target, opcodes.text, payloadBytes, compressed)
  expect(length).toBe(frameHeaderBytes(payloadBytes))
  return [...target.subarray(0, length)]
}

describe("the header of a frame", () => {
  test.each([
    [0, [0x81, 0]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 0xff, 0xff]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
    [2 ** 32 + 5, [0x81, 127, 0, 0, 0, 1, 0, 0, 0, 5]],
    [Number.MAX_SAFE_INTEGER, [0x81, 127, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ])("gives a payload of %d bytes its shortest length", (payloadBytes, expected) => {
    expect(header(payloadBytes)).toEqual(expected)
  })

  test("sets RSV1 for a compressed payload", () => {
    expect(header(1, true)).toEqual([0xc1, 1])
  })

  test("carries the opcode", () => {
    const target = new Uint8Array(2)
    writeFrameHeader(target, opcodes.binary, 3)
    expect([...target]).toEqual([0x82, 3])
  })
})
