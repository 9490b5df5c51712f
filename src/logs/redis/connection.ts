import { HoldfastError } from "../../protocol/error.ts"
import {
  failureOf,
  isDemotion,
  isDown,
  isPassing,
  isRefusal,
  tooOld,
  unavailable,
  unusable,
} from "./failure.ts"
import type { RedisLogSettings } from "./options.ts"
import { Reachability } from "./reachability.ts"
import type { Argument, OpenSession, Session } from "./session.ts"

const NOT_YET = "There is no connection to Redis yet"
const BACKOFF_MS = { min: 50, max: 1_000 } as const

interface Waiter {
  readonly resolve: (session: Session) => void
  readonly reject: (error: HoldfastError) => void
  readonly timer: NodeJS.Timeout
}

/** The connection that commands go through: made when it is not there, given up when it does not answer. */
export class Connection {
  readonly #openSession: OpenSession
  readonly #settings: RedisLogSettings
  readonly #waiters = new Set<Waiter>()
  #session: Session | undefined
  #opening: Session | undefined
  readonly #retired = new Map<Session, NodeJS.Timeout>()
  #isReplacing = false
  #handleDemotion: () => void = () => {}
  #isSynced = false
  readonly reachability = new Reachability(unavailable(NOT_YET))
  #failure: HoldfastError | undefined
  #heartbeat: NodeJS.Timeout | undefined
  /** Whether anything was answered since the last heartbeat. */
  #isAnswering = true
  #isChecking = false
  #isClosed = false
  #wake: () => void = () => {}

  constructor(openSession: OpenSession, settings: RedisLogSettings) {
    this.#openSession = openSession
    this.#settings = settings
    void this.#open()
  }

  /** `listener` is told when the server has become a replica: nothing may be told by it any more. */
  onDemotion(listener: () => void): void {
    this.#handleDemotion = listener
  }

  /** Whether the Redis of the session is known to sync its append-only file for each write: a restart loses nothing then. */
  get isSynced(): boolean {
    return this.#isSynced
  }

  /** Whether nothing is known of the server yet. */
  get isNew(): boolean {
    return this.#session === undefined && this.#failure === undefined
  }

  /** Why there is no connection, or why there was none the last time. */
  get failure(): HoldfastError {
    return this.#failure ?? unavailable(NOT_YET)
  }

  /**
   * Sends one command, as soon as there is a connection; `handleSent` is told when it is.
   * @throws HoldfastError `log_unavailable` when there is none until `untilMs`; what the client library throws
   */
  async send(
    key: string,
    args: readonly Argument[],
    untilMs: number,
    handleSent?: () => void,
  ): Promise<unknown> {
    const session = await this.session(untilMs)
    let isOver = false
    const start = () => {
      if (!isOver) handleSent?.()
      return !isOver
    }
    try {
      return await this.#answered(session, session.send(key, args, start))
    } finally {
      isOver = true
    }
  }

  /** The answer, or a failure when it takes too long. Who is silent is given up. */
  async #answered(session: Session, answer: Promise<unknown>): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(unavailable(`Redis has not answered for ${this.#settings.answerTimeoutMs} ms`))
        if (session.isSingle) this.#lose(session)
        else void this.#replace(session)
      }, this.#settings.answerTimeoutMs)
    })
    try {
      const answered = await Promise.race([answer, silence])
      this.#isAnswering = true
      if (session === this.#session) this.reachability.set(undefined)
      return answered
    } catch (error) {
      // one server may think so that has just been started
      if (isDown(error)) void this.#check(session)
      if (isDemotion(error)) {
        this.#lose(session)
        this.#handleDemotion()
      }
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  session(untilMs: number): Promise<Session> {
    if (this.#isClosed) return Promise.reject(new HoldfastError("closed", "The log was closed."))
    if (this.#session !== undefined) return Promise.resolve(this.#session)
    if (this.#failure !== undefined && isFinal(this.#failure)) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => {
          this.#waiters.delete(waiter)
          reject(this.failure)
        },
        Math.max(0, untilMs - Date.now()),
      )
      const waiter = { resolve, reject, timer }
      this.#waiters.add(waiter)
    })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#heartbeat)
    this.#session?.destroy()
    this.#session = undefined
    this.#opening?.destroy()
    for (const [session, timer] of this.#retired) {
      clearTimeout(timer)
      session.destroy()
    }
    this.#wake()
    this.#rejectWaiters(new HoldfastError("closed", "The log was closed."))
  }

  #lose(session: Session): void {
    if (this.#session !== session) return
    this.#session = undefined
    session.destroy()
    this.#failure = unavailable("The connection to Redis was lost")
    clearInterval(this.#heartbeat)
    if (this.#isClosed) return
    this.reachability.set(this.#failure)
    void this.#open()
  }

  /**
   * One of several servers is silent. Another session may find out that its place was taken; until there is one, this one
   * goes on with the others.
   */
  async #replace(old: Session): Promise<void> {
    if (this.#isReplacing || this.#session !== old) return
    this.#isReplacing = true
    const session = this.#openSession(() => this.#lose(session))
    this.#opening = session
    try {
      const isSynced = await this.#begin(session)
      if (this.#isClosed || this.#session !== old) session.destroy()
      else {
        this.#isSynced = isSynced
        this.#session = session
        this.#retire(old)
      }
    } catch {
      session.destroy()
    }
    this.#isReplacing = false
  }

  /** What is under way there with other servers has as long to be answered as everything has. */
  #retire(session: Session): void {
    const timer = setTimeout(() => {
      this.#retired.delete(session)
      session.destroy()
    }, this.#settings.answerTimeoutMs)
    this.#retired.set(session, timer)
  }

  /** Tries until there is a session. Its failures are told once per outage. */
  async #open(): Promise<void> {
    let isTold = false
    for (
      let delayMs: number = BACKOFF_MS.min;
      !this.#isClosed;
      delayMs = Math.min(2 * delayMs, BACKOFF_MS.max)
    ) {
      const session: Session = this.#openSession(() => this.#lose(session))
      this.#opening = session
      try {
        const isSynced = await this.#begin(session)
        if (this.#isClosed) session.destroy()
        else this.#use(session, isSynced)
        return
      } catch (error) {
        session.destroy()
        const failure = failureOf(error)
        this.#failure = failure
        if (this.#isClosed) return
        this.reachability.set(failure)
        if (isFinal(failure)) this.#rejectWaiters(failure)
        if (!isTold) this.#settings.onError(failure)
        isTold = true
        await this.#pause(delayMs)
      }
    }
  }

  #use(session: Session, isSynced: boolean): void {
    this.#session = session
    this.#isSynced = isSynced
    this.#failure = undefined
    this.#keepAlive()
    this.reachability.set(undefined)
    for (const { resolve, timer } of this.#waiters) {
      clearTimeout(timer)
      resolve(session)
    }
    this.#waiters.clear()
  }

  /** When nothing is asked for, nothing would tell that there is no answer any more. */
  #keepAlive(): void {
    clearInterval(this.#heartbeat)
    this.#heartbeat = setInterval(() => {
      const session = this.#session
      if (session !== undefined && !this.#isAnswering) void this.#check(session)
      this.#isAnswering = false
    }, this.#settings.heartbeatMs)
  }

  async #check(session: Session): Promise<void> {
    if (this.#isChecking) return
    this.#isChecking = true
    try {
      // what a silent server means is decided there
      await this.#answered(session, session.check())
    } catch (error) {
      if (isDown(error) && session === this.#session) this.reachability.set(failureOf(error))
    }
    this.#isChecking = false
  }

  /**
   * Answers whether the server syncs each write. One that takes the connection and says nothing would otherwise be waited for
   * without end.
   */
  async #begin(session: Session): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(unavailable("Redis takes connections, but does not answer")),
        this.#settings.answerTimeoutMs,
      )
    })
    const begun = session.connect().then(async () => {
      checkServer(String(await session.ask(["INFO"])))
      await session.check()
      return syncsEachWrite(session)
    })
    begun.catch(() => undefined)
    try {
      return await Promise.race([begun, silence])
    } finally {
      clearTimeout(timer)
    }
  }

  #rejectWaiters(failure: HoldfastError): void {
    for (const { reject, timer } of this.#waiters) {
      clearTimeout(timer)
      reject(failure)
    }
    this.#waiters.clear()
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** Where the user may not ask, it is not known. */
async function syncsEachWrite(session: Session): Promise<boolean> {
  try {
    const answer = (await session.ask(["CONFIG", "GET", "appendfsync"])) as object
    return Object.values(answer).some((value) => String(value) === "always")
  } catch (error) {
    // who may not ask does not know; a line that was cut says nothing
    if (isPassing(error)) throw error
    return false
  }
}

/** Whether somebody has to change something before another attempt can succeed. It is attempted all the same, now and then. */
function isFinal(failure: HoldfastError): boolean {
  return failure.code === "log_unusable" || isRefusal(failure)
}

/** @throws HoldfastError when a log cannot be kept on the server with this INFO */
export function checkServer(info: string): void {
  const fields = new Map(info.split("\r\n").map((line) => line.split(":", 2) as [string, string]))
  const version = fields.get("redis_version") ?? "unknown"
  if (!(Number.parseInt(version, 10) >= 7)) throw tooOld(`has version ${version}`)
  if (fields.get("loading") === "1") throw unavailable("This Redis is still loading what it has on disk")
  if (fields.get("role") === "slave") throw unavailable("This Redis is a replica, which takes no entries")
  const policy = fields.get("maxmemory_policy") ?? ""
  if (policy.startsWith("allkeys") && fields.get("maxmemory") !== "0")
    throw unusable(
      `This Redis throws away keys when it is full (maxmemory-policy ${policy}), and with them what was acknowledged. Set it to noeviction.`,
    )
}
