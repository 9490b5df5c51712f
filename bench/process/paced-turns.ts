import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import type { Published, Turns } from "./commands.ts"
import { cpuUs, nowUs } from "./now.ts"

/** Where the load reports, with a byte a turn, that everything was delivered. Answers with the port. */
export async function listenForPace(handleTurns: (count: number) => void): Promise<number> {
  const pace = createServer({ noDelay: true }, (socket: Socket) => {
    socket.on("data", ({ byteLength }) => handleTurns(byteLength))
    socket.on("error", () => socket.destroy())
  })
  pace.listen(0, "127.0.0.1")
  await once(pace, "listening")
  return (pace.address() as AddressInfo).port
}

/**
 * The next turn begins when every subscriber has everything of the one before. So nothing piles up, messages of different
 * turns cannot be sent together, and each contestant runs as fast as it can.
 */
export class PacedTurns {
  readonly #publishNext: () => unknown
  #handleTurnDelivered: () => void = () => undefined

  constructor(publishNext: () => unknown) {
    this.#publishNext = publishNext
  }

  handleDelivered(): void {
    this.#handleTurnDelivered()
  }

  run({ messagesPerTurn, durationMs }: Turns): Promise<Published> {
    return new Promise((resolve, reject) => {
      const publishedUs: number[] = []
      const publishTurn = () => {
        for (let i = 0; i < messagesPerTurn; i++) {
          publishedUs.push(nowUs())
          Promise.resolve(this.#publishNext()).catch(reject)
        }
      }
      const startCpuUs = cpuUs()
      const startUs = nowUs()
      this.#handleTurnDelivered = () => {
        const elapsedUs = nowUs() - startUs
        if (elapsedUs < durationMs * 1e3) return publishTurn()
        resolve({ publishedUs: Float64Array.from(publishedUs), elapsedUs, cpuUs: cpuUs() - startCpuUs })
      }
      publishTurn()
    })
  }
}
