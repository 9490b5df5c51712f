import type { Bus } from "../../log/bus.ts"
import { decodeBody, encodeBody } from "../../protocol/body.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Entropy } from "../ports/entropy.ts"
import type { Logger } from "../ports/logger.ts"
import type { Answer, Gathered } from "./cluster-answers.ts"

/** All nodes listen there; and each where it is answered. No signals' topic is like them. */
const ALL = "nodes"
const topicOf = (node: string) => `node/${node}`

/** What a node tells the others. What a node does not know, it ignores: the others may be newer. */
type Message =
  | { readonly type: "question"; readonly id: string; readonly question: unknown }
  | { readonly type: "answer"; readonly id: string; readonly answer: Answer }

type Told = Message & { readonly node: string }

export interface NeighboursPorts {
  readonly node: string
  readonly bus: Bus | undefined
  readonly clock: Clock
  readonly entropy: Entropy
  readonly limits: Limits
  readonly logger: Logger
  /** The other nodes. @throws what the log fails with */
  readonly others: () => Promise<readonly string[]>
  /** Answers a question of this node or another. */
  readonly answer: (question: unknown) => Answer
}

/** The way to the other nodes past the log: questions with their answers. */
export class Neighbours {
  readonly #ports: NeighboursPorts
  readonly #asked = new Map<string, (node: string, answer: Answer) => void>()
  /** Resolves when questions reach the others, and answers this node. */
  readonly #ready: Promise<unknown>
  #unsubscribe: (() => void)[] = []
  #closed = false

  constructor(ports: NeighboursPorts) {
    this.#ports = ports
    const { bus, node } = ports
    const topics = bus === undefined ? [] : [this.#listen(bus, ALL), this.#listen(bus, topicOf(node))]
    this.#ready = Promise.all(topics)
  }

  /** Whether there is a way at all. */
  get reachable(): boolean {
    return this.#ports.bus !== undefined
  }

  /**
   * Asks every node, this one included. Who does not answer in time is missing.
   * @throws HoldfastError `log_unavailable` when it cannot be known which nodes there are: only this one was asked
   */
  async gather<T>(question: unknown): Promise<Gathered<T>> {
    const { clock, entropy, limits, answer } = this.#ports
    const answers = [answer(question)]
    const others = await this.#others()
    if (others === undefined) {
      throw new HoldfastError("log_unavailable", "The other nodes are not known. Only this one was asked.")
    }
    const id = entropy.uniqueId()
    const missing = new Set(others)
    return new Promise((resolve) => {
      const finish = () => {
        cancel()
        this.#asked.delete(id)
        resolve({
          results: answers.flatMap(({ results }) => results as T[]),
          missing: [...missing],
          truncated: answers.some(({ truncated }) => truncated),
        })
      }
      const cancel = clock.after(limits.clusterTimeoutMs, finish)
      this.#asked.set(id, (node, answered) => {
        // a node that has just started may answer though nothing was heard of it yet
        answers.push(answered)
        missing.delete(node)
        if (missing.size === 0) finish()
      })
      this.#send(ALL, { type: "question", id, question })
      if (missing.size === 0 || !this.reachable) finish()
    })
  }

  close(): void {
    this.#closed = true
    for (const stop of this.#unsubscribe.splice(0)) stop()
  }

  /** Which they are, when they can answer; undefined when that is not known in time. */
  async #others(): Promise<readonly string[] | undefined> {
    const { clock, limits, others } = this.#ports
    let cancel = () => {}
    const timeout = new Promise<undefined>((resolve) => {
      cancel = clock.after(limits.clusterTimeoutMs, () => resolve(undefined))
    })
    const known = Promise.all([others(), this.#ready]).then(
      ([names]) => names,
      () => undefined,
    )
    try {
      return await Promise.race([known, timeout])
    } finally {
      cancel()
    }
  }

  /** Resolves when it is listened to. */
  async #listen(bus: Bus, topic: string): Promise<void> {
    const { clock, limits, logger } = this.#ports
    while (!this.#closed) {
      try {
        const stop = await bus.subscribe(topic, (body) => this.#handle(body))
        if (this.#closed) stop()
        else this.#unsubscribe.push(stop)
        return
      } catch (error) {
        if (this.#closed) return
        logger.error("the other nodes cannot be listened to, trying again", { error })
        await new Promise<void>((resolve) => clock.after(limits.retryMs, resolve))
      }
    }
  }

  #send(topic: string, message: Message): void {
    const { bus, node } = this.#ports
    bus?.publish(topic, encodeBody({ ...message, node }))
  }

  #handle(body: Uint8Array): void {
    if (this.#closed) return
    const told = decodeBody(body) as Told
    if (told.node === this.#ports.node) return
    if (told.type === "answer") this.#asked.get(told.id)?.(told.node, told.answer)
    else if (told.type === "question") {
      const answer = this.#ports.answer(told.question)
      this.#send(topicOf(told.node), { type: "answer", id: told.id, answer })
    }
  }
}
