import type { Transport } from "./transport.ts"

/** What is used of a WebSocket: the browser's has it, and that of the package `ws`. */
export interface WebSocketLike {
  binaryType: string
  readonly bufferedAmount: number
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code: number, reason: string): void
  addEventListener(type: "open" | "error", listener: () => void): void
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void
  addEventListener(
    type: "close",
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void
}

export type WebSocketConstructor = new (url: string, subprotocol: string) => WebSocketLike

/** One WebSocket per line, one message per frame. */
export function webSocketTransport(WebSocket: WebSocketConstructor, subprotocol: string): Transport {
  return {
    name: "websocket",
    open: (url, { onOpen, onMessage, onClose }) => {
      const socket = new WebSocket(url, subprotocol)
      socket.binaryType = "arraybuffer"
      socket.addEventListener("open", () => onOpen())
      socket.addEventListener("message", ({ data }) =>
        onMessage(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer)),
      )
      // `ws` throws an error that nobody listens to; a close with what can be known follows
      socket.addEventListener("error", () => {})
      socket.addEventListener("close", ({ code, reason }) => onClose(code, reason))
      return {
        send: (wire) => socket.send(wire as string | Uint8Array<ArrayBuffer>),
        close: (code, reason) => socket.close(code, reason),
        bufferedBytes: () => socket.bufferedAmount,
      }
    },
  }
}
