import type { Exchange, ResponseHeaders, ResponseSink, SinkOwner } from "../../src/server/http/exchange.ts"

/** All that a runtime with the Fetch standard has to bring: the response to `request`, if `handle` takes it. */
export function fetchExchange(
  request: Request,
  highWaterBytes: number,
  handle: (exchange: Exchange<Request>) => boolean,
): Promise<Response> | undefined {
  const sink = new WebSink(request.signal, highWaterBytes)
  // lib.dom leaves out that streams can be iterated.
  const exchange = {
    request: request as Exchange<Request>["request"] & Request,
    response: sink,
    native: request,
  }
  return handle(exchange) ? sink.response : undefined
}

/** A `Response` whose body is a stream of bytes that are passed on as they are. */
class WebSink implements ResponseSink {
  readonly response: Promise<Response>
  readonly #highWaterBytes: number
  #resolve: (response: Response) => void = () => undefined
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #owner: SinkOwner | undefined
  #full = false
  #isOpen = true

  constructor(signal: AbortSignal, highWaterBytes: number) {
    this.#highWaterBytes = highWaterBytes
    this.response = new Promise((resolve) => {
      this.#resolve = resolve
    })
    signal.addEventListener("abort", () => this.#handleAbort())
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  open(owner: SinkOwner): void {
    this.#owner = owner
  }

  begin(status: number, headers: ResponseHeaders): void {
    // A stream of `type: "bytes"` would transfer the buffers, which other responses share.
    const source: UnderlyingDefaultSource<Uint8Array> = {
      start: (controller) => {
        this.#controller = controller
      },
      pull: () => this.#handlePull(),
      cancel: () => this.#handleGone(),
    }
    const strategy = new ByteLengthQueuingStrategy({ highWaterMark: this.#highWaterBytes })
    const body = status === 204 ? null : (new ReadableStream(source, strategy) as unknown as BodyInit)
    this.#resolve(new Response(body, { status, headers }))
  }

  write(bytes: Uint8Array): boolean {
    this.#controller?.enqueue(bytes)
    this.#full = (this.#controller?.desiredSize ?? 0) <= 0
    return !this.#full
  }

  cork(): void {}
  uncork(): void {}

  end(bytes?: Uint8Array): void {
    if (!this.#isOpen) return
    if (bytes !== undefined) this.#controller?.enqueue(bytes)
    this.#controller?.close()
    this.#handleGone()
  }

  destroy(): void {
    if (!this.#isOpen) return
    this.#controller?.error(new Error("the response was destroyed"))
    this.#abandon()
  }

  #handlePull(): void {
    if (!this.#full) return
    this.#full = false
    this.#owner?.handleDrain()
  }

  #handleAbort(): void {
    if (!this.#isOpen) return
    this.#controller?.close()
    this.#abandon()
  }

  /** Nobody reads the response, but a server may wait for it. */
  #abandon(): void {
    this.#resolve(new Response(null, { status: 503 }))
    this.#handleGone()
  }

  #handleGone(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#owner?.handleGone()
  }
}
