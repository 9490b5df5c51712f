import { HoldfastError } from "../protocol/error.ts"
import type { Request } from "./outbox.ts"
import type { OutboxStore, OutboxStorePorts } from "./outbox-store.ts"

export interface RestorePorts {
  readonly decode: OutboxStorePorts["decode"]
  readonly add: (request: Omit<Request, "id" | "wire">, message: object) => void
  readonly handleError: (error: unknown) => void
}

/**
 * Takes over what an earlier page left, and resolves with the session that it belongs to. Nobody holds the promises of that page
 * any more, so what becomes of it is told as an error, or not at all.
 */
export async function restore(
  store: OutboxStore,
  session: string,
  { decode, add, handleError }: RestorePorts,
): Promise<string> {
  const settle = (outcome: object) => {
    if (outcome instanceof HoldfastError) handleError(outcome)
  }
  try {
    return await store.open({
      session,
      decode,
      restore: (message, sentAtMs) => {
        const { channel } = message as { channel: string }
        add({ channel, repeat: "keyed", sentAtMs, settle }, message)
      },
      handleError,
    })
  } catch (error) {
    handleError(error)
    return session
  }
}
