/**
 * Makes this page the only owner of what has this name, where the browser has Web Locks; a page that came by plain http has
 * none, and is taken at its word. Waits `waitMs`, in which a page that was just left loses what it owned. Resolves with how
 * to give it up.
 * @throws Error when another page owns it
 */
export async function own(name: string, waitMs: number): Promise<() => void> {
  const locks: LockManager | undefined = globalThis.navigator?.locks
  if (locks === undefined) return () => undefined
  return new Promise((resolve, reject) => {
    locks
      .request(name, { signal: AbortSignal.timeout(waitMs) }, () => new Promise<void>(resolve))
      .catch(() => reject(new Error("another tab owns it")))
  })
}
