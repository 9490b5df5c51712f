import { HoldfastError } from "../../protocol/error.ts"

/** The system's codes for a disk, a quota, or a file that cannot take more. */
const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"])

/** That a transaction failed, and nothing of it was kept: an error to refuse its appends with. */
export function refusal(error: unknown, probe: () => void): HoldfastError {
  if (error instanceof HoldfastError) return error
  const reason = failureOf(probe)
  if (reason !== undefined && FULL.has(reason.code ?? "")) return new HoldfastError("log_full")
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
