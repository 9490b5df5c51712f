import { HoldfastError } from "../../protocol/error.ts"
import { failureOf, isDemotion, isDown, isInterruption, isRefusal, unavailable } from "./failure.ts"
import { Link } from "./link.ts"
import type { RedisLogSettings } from "./options.ts"
import { Reachability } from "./reachability.ts"
import { retry } from "./retry.ts"
import { checkServer, syncsEachWrite } from "./server-check.ts"
import type { Argument, OpenSession, Session } from "./session.ts"

const NOT_YET = "There is no connection to Redis yet"

interface Waiter {
  readonly resolve: (life: Life) => void
  readonly reject: (error: HoldfastError) => void
  readonly timer: NodeJS.Timeout
}

/** A session, and how it is kept. */
interface Life {
  readonly session: Session
  readonly link: Link
  isSynced: boolean
}

/**
 * The connection that commands go through. There is one life of it at a time; when it is lost, the next is opened, for as long
 * as it takes. Of several servers, one may be silent: then the next life is opened beside the one that goes on with the others.
 */
export class Connection {
  readonly reachability = new Reachability(unavailable(NOT_YET))
  readonly #openSession: OpenSession
  readonly #settings: RedisLogSettings
  readonly #waiters = new Set<Waiter>()
  readonly #closing = new AbortController()
  /** Those that are being opened, that is used, and that were replaced and may still be answered. */
  readonly #lives = new Set<Life>()
  #current: Life | undefined
  #isReplacing = false
  /** Something failed that another attempt may have repaired. */
  #isInterrupted = false
  #failure: HoldfastError | undefined
  #handleDemotion: () => void = () => {}

  constructor(openSession: OpenSession, settings: RedisLogSettings) {
    this.#openSession = openSession
    this.#settings = settings
    void this.#open()
  }

  /** `listener` is called when the server has become a replica: it will not tell of appends any more. */
  onDemotion(listener: () => void): void {
    this.#handleDemotion = listener
  }

  /** Whether the Redis of the session is known to sync its append-only file for each write: a restart loses nothing then. */
  get isSynced(): boolean {
    return this.#current?.isSynced ?? false
  }

  /** Whether nothing is known of the server yet. */
  get isNew(): boolean {
    return this.#current === undefined && this.#failure === undefined
  }

  /** Why there is no connection, or why there was none the last time. */
  get failure(): HoldfastError {
    return this.#failure ?? unavailable(NOT_YET)
  }

  /**
   * Sends one command, as soon as there is a connection; `handleSent` is called when it is.
   * @throws HoldfastError `log_unavailable` when there is none until `untilMs`; what the client library throws
   */
  async send(
    key: string,
    args: readonly Argument[],
    untilMs: number,
    handleSent?: () => void,
  ): Promise<unknown> {
    const life = await this.#life(untilMs)
    let isOver = false
    const start = () => {
      if (!isOver) handleSent?.()
      return !isOver
    }
    try {
      const answer = await life.link.answered(life.session.send(key, args, start))
      this.#noteAnswer(life)
      return answer
    } catch (error) {
      this.#noteFailure(life, error)
      throw error
    } finally {
      isOver = true
    }
  }

  async session(untilMs: number): Promise<Session> {
    return (await this.#life(untilMs)).session
  }

  close(): void {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#current = undefined
    for (const { link } of this.#lives) link.end()
    this.#rejectWaiters(new HoldfastError("closed", "The log was closed."))
  }

  #life(untilMs: number): Promise<Life> {
    if (this.#closing.signal.aborted)
      return Promise.reject(new HoldfastError("closed", "The log was closed."))
    if (this.#current !== undefined) return Promise.resolve(this.#current)
    if (this.#failure !== undefined && isFinal(this.#failure)) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#waiters.delete(waiter)
        reject(this.failure)
      }
      const timer = setTimeout(giveUp, Math.max(0, untilMs - Date.now()))
      const waiter = { resolve, reject, timer }
      this.#waiters.add(waiter)
    })
  }

  #noteAnswer(life: Life): void {
    if (life !== this.#current) return
    this.reachability.set(undefined)
    if (this.#isInterrupted) this.reachability.resume()
    this.#isInterrupted = false
  }

  #noteFailure(life: Life, error: unknown): void {
    if (isInterruption(error)) this.#isInterrupted = true
    // one server may think so that has just been started
    if (isDown(error)) life.link.check().catch(() => undefined)
    if (!isDemotion(error)) return
    life.link.lose()
    this.#handleDemotion()
  }

  async #checkSession(life: Life): Promise<void> {
    try {
      await life.session.check()
      this.#noteAnswer(life)
    } catch (error) {
      if (isDown(error) && life === this.#current) this.reachability.set(failureOf(error))
      throw error
    }
  }

  #handleLost(life: Life): void {
    this.#lives.delete(life)
    if (this.#current !== life) return
    this.#current = undefined
    this.#failure = unavailable("The connection to Redis was lost")
    this.reachability.set(this.#failure)
    void this.#open()
  }

  /** Tries until there is a session. Its failures are reported once per outage. */
  async #open(): Promise<void> {
    let isReported = false
    const handleFailure = (error: unknown) => {
      const failure = failureOf(error)
      this.#failure = failure
      this.reachability.set(failure)
      if (isFinal(failure)) this.#rejectWaiters(failure)
      if (!isReported) this.#settings.onError(failure)
      isReported = true
      return true
    }
    // it ends without success only when the log is closed
    await retry(async () => this.#use(await this.#begin()), handleFailure, this.#closing.signal).catch(
      () => undefined,
    )
  }

  /**
   * One of several servers is silent. Another session may find out that its place was taken; until there is one, this one
   * goes on with the others.
   */
  async #replace(old: Life): Promise<void> {
    if (this.#isReplacing || this.#current !== old) return
    this.#isReplacing = true
    try {
      const life = await this.#begin()
      if (this.#current !== old) life.link.end()
      else {
        this.#use(life)
        this.reachability.resume()
        this.#retire(old)
      }
    } catch {
      // the next command that is not answered asks for another
    }
    this.#isReplacing = false
  }

  /** What is under way there with other servers has as long to be answered as everything has. */
  #retire(life: Life): void {
    const end = () => {
      this.#lives.delete(life)
      life.link.end()
    }
    setTimeout(end, this.#settings.answerTimeoutMs).unref()
  }

  async #begin(): Promise<Life> {
    const session = this.#openSession(() => link.lose())
    const link: Link = new Link({
      open: async () => {
        await session.connect()
        checkServer(String(await session.ask(["INFO"])))
        await session.check()
        life.isSynced = await syncsEachWrite(session)
      },
      check: () => this.#checkSession(life),
      destroy: () => session.destroy(),
      handleLost: () => this.#handleLost(life),
      handleSilence: session.isSingle ? undefined : () => void this.#replace(life),
      answerTimeoutMs: this.#settings.answerTimeoutMs,
      heartbeatMs: this.#settings.heartbeatMs,
    })
    const life: Life = { session, link, isSynced: false }
    this.#lives.add(life)
    try {
      await link.opened
    } catch (error) {
      this.#lives.delete(life)
      throw error
    }
    return life
  }

  #use(life: Life): void {
    if (this.#closing.signal.aborted) {
      life.link.end()
      return
    }
    this.#current = life
    this.#failure = undefined
    this.#isInterrupted = false
    this.reachability.set(undefined)
    for (const { resolve, timer } of this.#waiters) {
      clearTimeout(timer)
      resolve(life)
    }
    this.#waiters.clear()
  }

  #rejectWaiters(failure: HoldfastError): void {
    for (const { reject, timer } of this.#waiters) {
      clearTimeout(timer)
      reject(failure)
    }
    this.#waiters.clear()
  }
}

/** Whether an operator has to change something before another attempt can succeed. It is attempted all the same, now and then. */
function isFinal(failure: HoldfastError): boolean {
  return failure.code === "log_unusable" || isRefusal(failure)
}
