import type { IncomingMessage, ServerResponse } from "node:http"
import type {
  Exchange,
  HttpRequest,
  RequestHeaders,
  ResponseHeaders,
  ResponseSink,
  SinkOwner,
} from "../http/exchange.ts"

export type ExchangeOf = (request: IncomingMessage, response: ServerResponse) => Exchange<IncomingMessage>

/** A request to a server of Node, and its response, as the hub reads and writes them. */
export function httpExchange(
  request: IncomingMessage,
  response: ServerResponse,
  highWaterBytes: number,
): Exchange<IncomingMessage> {
  return {
    request: new NodeRequest(request),
    response: new NodeResponse(response, request.httpVersionMajor, highWaterBytes),
    native: request,
  }
}

class NodeRequest implements HttpRequest {
  readonly headers: RequestHeaders
  readonly #request: IncomingMessage

  constructor(request: IncomingMessage) {
    this.#request = request
    this.headers = { get: (name) => headerOf(request, name) }
  }

  get method(): string {
    return this.#request.method ?? ""
  }

  get url(): string {
    return this.#request.url ?? "/"
  }

  get body(): AsyncIterable<Uint8Array> {
    // A loop that ends early must not destroy the socket, which carries the response.
    return this.#request.iterator({ destroyOnReturn: false })
  }

  get bodyUsed(): boolean {
    return this.#request.readableEnded
  }
}

function headerOf({ headers }: IncomingMessage, name: string): string | null {
  const value = headers[name.toLowerCase()]
  return (typeof value === "string" ? value : value?.join(", ")) ?? null
}

/** Writes straight to the response: bytes are neither copied nor queued a second time. */
class NodeResponse implements ResponseSink {
  readonly #response: ServerResponse
  readonly #httpVersionMajor: number
  readonly #highWaterBytes: number
  #full = false

  constructor(response: ServerResponse, httpVersionMajor: number, highWaterBytes: number) {
    this.#response = response
    this.#httpVersionMajor = httpVersionMajor
    this.#highWaterBytes = highWaterBytes
  }

  get isOpen(): boolean {
    return !this.#response.writableEnded && !this.#response.destroyed
  }

  open({ handleDrain, handleGone }: SinkOwner): void {
    this.#response.on("drain", () => {
      // The response's own mark is lower than ours, so most of its drains change nothing.
      if (!this.#full) return
      this.#full = false
      handleDrain()
    })
    this.#response.once("close", handleGone)
    // `close` follows; an error without a listener would end the process.
    this.#response.on("error", () => undefined)
  }

  begin(status: number, headers: ResponseHeaders): void {
    const sent: Record<string, string> = { ...headers }
    // An app may have set its own before it called the hub.
    const vary = this.#response.getHeader("Vary")
    if (vary !== undefined && sent.Vary !== undefined) sent.Vary = `${vary}, ${sent.Vary}`
    // HTTP/2 has no such header (RFC 9113 8.2.2).
    if (this.#httpVersionMajor > 1) delete sent.Connection
    this.#response.writeHead(status, sent)
  }

  write(bytes: Uint8Array): boolean {
    const flows = this.#response.write(bytes)
    if (flows || this.#response.writableLength <= this.#highWaterBytes) return true
    this.#full = true
    return false
  }

  cork(): void {
    this.#response.cork()
  }

  uncork(): void {
    this.#response.uncork()
  }

  end(bytes?: Uint8Array): void {
    this.#response.end(bytes)
  }

  destroy(): void {
    this.#response.destroy()
  }
}
