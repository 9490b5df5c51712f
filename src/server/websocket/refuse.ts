import { Buffer } from "node:buffer"
import { STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"

/** Answers a handshake with an HTTP error that a person can read, and closes. `text` is a sentence. */
export function refuse(
  socket: Duplex,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const body = `${text}\n`
  const head = {
    Connection: "close",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": String(Buffer.byteLength(body)),
    ...headers,
  }
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}`)
  socket.once("finish", destroy)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("\r\n")}\r\n\r\n${body}`)
}

/** For a socket between its HTTP server and its WebSocket: whatever goes wrong there ends it, and nothing else. */
export function destroyOnError(socket: Duplex): void {
  socket.on("error", destroy)
}

/** The WebSocket listens for itself from here. */
export function leaveErrors(socket: Duplex): void {
  socket.removeListener("error", destroy)
}

function destroy(this: Duplex): void {
  this.destroy()
}
