import { Buffer } from "node:buffer"
import { connect, type Socket } from "node:net"
import type { SubscriberScript } from "../contestants/contestant.ts"
import { MESSAGE_BYTES } from "../contestants/message.ts"
import { FrameReader, opcodes } from "./web-socket-frames.ts"

/** What every socket of this process reads into: a subscriber looks at a chunk and forgets it. */
const chunk = Buffer.allocUnsafeSlow(256 * 1024)

const HEAD_END = "\r\n\r\n"

/**
 * One subscriber on a bare TCP socket: it shakes hands, says what its script says, and from then on only counts.
 * `handleMessages` may be called once for several messages. Resolves when the subscription stands; a line that is lost
 * later goes to `handleLoss`.
 */
export function subscribeRaw(
  port: number,
  script: SubscriberScript,
  handleMessages: (count: number) => void,
  handleLoss: (error: Error) => void,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let ready = false
    let head: string | undefined = ""
    const fail = (error: Error) => (ready ? handleLoss(error) : reject(error))
    const beReady = () => {
      ready = true
      reader.countedBytesMin = script.countedBytesMin ?? MESSAGE_BYTES
      resolve(socket)
    }
    const reader = new FrameReader({
      handleMessages,
      handleShortFrame: (payload, opcode) => {
        if (opcode !== opcodes.text && opcode !== opcodes.binary) {
          throw new Error(`a control frame (${opcode}): ${payload}`)
        }
        const step = script.handleFrame(payload)
        if (step.reply !== undefined) socket.write(step.reply)
        if (step.ready) beReady()
      },
    })
    const take = (fresh: Buffer) => {
      if (head === undefined) return reader.read(fresh)
      head += fresh.toString("latin1")
      const end = head.indexOf(HEAD_END)
      if (end < 0) return
      if (!head.startsWith("HTTP/1.1 101 ")) throw new Error(`no WebSocket: ${head.slice(0, 200)}`)
      const rest = Buffer.from(head.slice(end + HEAD_END.length), "latin1")
      head = undefined
      if (script.greeting !== undefined) socket.write(script.greeting)
      if (script.readyWhenOpen) beReady()
      reader.read(rest)
    }
    const socket = connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: {
        buffer: chunk,
        callback: (byteCount, buffer) => {
          try {
            take((buffer as Buffer).subarray(0, byteCount))
          } catch (error) {
            fail(error as Error)
            socket.destroy()
          }
          return true
        },
      },
    })
    socket.on("error", fail)
    socket.on("close", () => fail(new Error("the server closed a subscriber's connection")))
    socket.write(upgradeRequest(port, script))
  })
}

function upgradeRequest(port: number, { path, subprotocol }: SubscriberScript): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    // Any 16 bytes will do, and no subscriber checks the answer.
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
    "",
    "",
  ].join("\r\n")
}
