/**
 * A WebSocket that can be broken: what the page hands to Holdfast in place of the browser's own. A browser cannot cut a
 * connection without a word, so this stops passing anything on, in both directions and at once, and reports the line as
 * cut; the real one is closed behind it.
 */
export function createBreakableSockets() {
  const sockets = new Set<{ cut: () => void }>()
  let offlineUntilMs = Number.NEGATIVE_INFINITY

  const offlineForMs = (): number => Math.max(0, offlineUntilMs - performance.now())

  class BreakableSocket {
    readonly #events = new EventTarget()
    #raw: WebSocket | undefined

    constructor(url: string, subprotocol: string) {
      sockets.add(this)
      if (offlineForMs() > 0) {
        setTimeout(() => this.cut())
        return
      }
      const raw = new WebSocket(url, subprotocol)
      this.#raw = raw
      raw.addEventListener("open", () => this.#tell(raw, new Event("open")))
      raw.addEventListener("error", () => this.#tell(raw, new Event("error")))
      raw.addEventListener("message", ({ data }) => this.#tell(raw, new MessageEvent("message", { data })))
      raw.addEventListener("close", ({ code, reason }) => {
        if (this.#raw === raw) this.#end(code, reason)
      })
    }

    get bufferedAmount(): number {
      return this.#raw?.bufferedAmount ?? 0
    }

    get binaryType(): string {
      return this.#raw?.binaryType ?? "arraybuffer"
    }

    set binaryType(type: string) {
      if (this.#raw !== undefined) this.#raw.binaryType = type as BinaryType
    }

    addEventListener(type: string, listener: (event: never) => void): void {
      this.#events.addEventListener(type, listener as EventListener)
    }

    send(data: string | Uint8Array): void {
      this.#raw?.send(data as string | Uint8Array<ArrayBuffer>)
    }

    close(code: number, reason: string): void {
      this.#raw?.close(code, reason)
    }

    cut(): void {
      this.#raw?.close()
      this.#end(1006, "")
    }

    #tell(raw: WebSocket, event: Event): void {
      if (this.#raw === raw) this.#events.dispatchEvent(event)
    }

    #end(code: number, reason: string): void {
      if (!sockets.delete(this)) return
      this.#raw = undefined
      this.#events.dispatchEvent(new CloseEvent("close", { code, reason }))
    }
  }

  const cut = (): void => {
    for (const socket of [...sockets]) socket.cut()
  }
  return {
    WebSocket: BreakableSocket,
    cut,
    /** Cuts the line and lets nothing be opened for a while. */
    goOffline: (ms: number): void => {
      offlineUntilMs = performance.now() + ms
      cut()
    },
    /** How long it is still offline, in ms; 0 when it is not. */
    offlineForMs,
  }
}
