import { HoldfastError } from "../../protocol/error.ts"

/** The system's codes for a disk, a quota, or a file that cannot take more. */
const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"])

/** LMDB's codes for a file that is not what LMDB wrote. */
const DAMAGED = new Set([-30797, -30796, -30795, -30793, -30782, -30779])

/** What went wrong with a read: an error that says so when the file is damaged. */
export function readFailure(error: unknown): unknown {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
  const isDamage = error instanceof RangeError || (typeof code === "number" && DAMAGED.has(code))
  return isDamage ? new HoldfastError("log_unusable", `The log is damaged: ${message}.`) : error
}

/** That a transaction failed, and nothing of it was kept: an error to refuse its appends with. */
export function refusal(error: unknown, probe: () => void): HoldfastError {
  if (error instanceof HoldfastError) return error
  const damage = readFailure(error)
  if (damage instanceof HoldfastError) return damage
  const reason = failureOf(probe)
  if (reason !== undefined && FULL.has(reason.code ?? "")) {
    return new HoldfastError("log_full", "The log has no space left. Nothing was published.")
  }
  const why = reason ?? error
  const text = why instanceof Error ? why.message : String(why)
  return new HoldfastError("log_unavailable", `The log cannot take entries: ${text}. Nothing was published.`)
}

/** That the folder cannot be written to, though it can be read. */
export function isReadOnly(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown }
  return code === "EROFS" || code === "EACCES" || code === "EPERM"
}

function failureOf(task: () => void): NodeJS.ErrnoException | undefined {
  try {
    task()
    return undefined
  } catch (error) {
    return error as NodeJS.ErrnoException
  }
}
