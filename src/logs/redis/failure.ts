import { HoldfastError } from "../../protocol/error.ts"

/** What Redis answers while it cannot, but soon may. */
const PASSING =
  /^(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|READONLY|NOREPLICAS|MOVED|ASK|UNBLOCKED|MISCONF|NOSCRIPT)\b/
const INTERRUPTING = /^(LOADING|MASTERDOWN|CLUSTERDOWN|READONLY|MOVED)\b/
/** What it answers to a user that it does not let in. */
const REFUSING = /^(NOAUTH|WRONGPASS|NOPERM|ERR Client sent AUTH|ERR AUTH|ERR invalid password)/
/** What it answers when it has answered at all. */
const ANSWER = /^-?[A-Z][A-Z]+ /

/** Whether another attempt may succeed: the connection failed, or the server says that it cannot for the moment. */
export function isPassing(error: unknown): boolean {
  if (error instanceof HoldfastError) return error.code === "log_unavailable" && !isRefusal(error)
  const text = messageOf(error)
  return PASSING.test(text) || !isAnswer(error)
}

/** Whether entries may have been lost that were acknowledged: the connection failed, or another server may take the place of this one. */
export function isInterruption(error: unknown): boolean {
  return isPassing(error) && (!isAnswer(error) || INTERRUPTING.test(messageOf(error)))
}

/** Whether the server said so. Otherwise, what had been sent may have been carried out. */
export function isAnswer(error: unknown): boolean {
  return error instanceof HoldfastError ? error.code !== "log_unavailable" : ANSWER.test(messageOf(error))
}

export function isUnknownScript(error: unknown): boolean {
  return messageOf(error).startsWith("NOSCRIPT")
}

/** Whether the server has become a replica, or is one that has lost its master. */
export function isDemotion(error: unknown): boolean {
  return /^(READONLY|MASTERDOWN)\b/.test(messageOf(error))
}

/** Whether a cluster takes nothing at all. Of one slot that no server has, it says something else. */
export function isDown(error: unknown): boolean {
  return messageOf(error).startsWith("CLUSTERDOWN The cluster is down")
}

const refusals = new WeakSet<HoldfastError>()

/** Whether waiting is of no use: an operator has to change a password or a permission. */
export function isRefusal(error: HoldfastError): boolean {
  return refusals.has(error)
}

/** What went wrong as an error that says what to do. */
export function failureOf(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error
  const text = messageOf(error)
  if (text.startsWith("OOM")) {
    return new HoldfastError(
      "log_full",
      "Redis is full (maxmemory). Nothing was published. Give it more memory, or keep less in the contract.",
    )
  }
  if (text.startsWith("WRONGTYPE")) return inUse()
  if (/unknown command.*HELLO/i.test(text)) return tooOld("is older than 6")
  if (REFUSING.test(text)) {
    const refusal = unavailable(
      `Redis refuses this user: ${text}. Check the user and the password in the URL, and what the user may do`,
    )
    refusals.add(refusal)
    return refusal
  }
  return unavailable(`The log cannot use Redis: ${text}`)
}

export function unavailable(why: string): HoldfastError {
  return new HoldfastError("log_unavailable", `${why}. Nothing was published.`)
}

/** For an append that was sent and not answered. */
export function unanswered(): HoldfastError {
  return inDoubt("Redis has not answered.")
}

/** For one that was sent and not answered, and was refused with `code` when it was sent again. */
export function refusedLater({ code }: HoldfastError): HoldfastError {
  return inDoubt(`Redis has not answered, and refuses it now (${code}).`)
}

function inDoubt(why: string): HoldfastError {
  const how = "to find out, repeat it with the same idempotency key."
  return new HoldfastError("in_doubt", `${why} Whether it was published is not known: ${how}`)
}

export function unusable(why: string): HoldfastError {
  return new HoldfastError("log_unusable", why)
}

/** `what` goes on from "This Redis". */
export function tooOld(what: string): HoldfastError {
  return unusable(`This Redis ${what}. Holdfast needs Redis 7, or Valkey, for its sharded pub/sub.`)
}

/** For keys that are there and are not this log's. */
export function inUse(): HoldfastError {
  return unusable(
    "Something else has keys with this log's prefix in this Redis. They were left as they are. Give redisLog another prefix.",
  )
}

export function otherFormat(found: string, expected: string): HoldfastError {
  if (found === "") return inUse()
  return unusable(
    `The log in this Redis has the format "${found}", and this version of Holdfast reads "${expected}". It was left as it is. ` +
      "Run the version that wrote it, or give redisLog another prefix to begin anew.",
  )
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}
