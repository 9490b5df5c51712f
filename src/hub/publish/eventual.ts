/** A value, or a promise of it: what is there at once is not waited for. */
export type Eventual<T> = T | Promise<T>

/** What code of others returns. Its promises may be of another realm, or only similar to promises. */
export function eventual<T>(returned: T | PromiseLike<T>): Eventual<T> {
  const isPromise = typeof (returned as { then?: unknown } | null | undefined)?.then === "function"
  return isPromise ? Promise.resolve(returned as PromiseLike<T>) : (returned as T)
}

/** Goes on with a value, in this turn if it is there. */
export function whenDone<T, R>(value: Eventual<T>, next: (value: T) => Eventual<R>): Eventual<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** Runs `run`; if it fails, now or later, its outcome is that of `recover`. */
export function attempt<T>(run: () => Eventual<T>, recover: (error: unknown) => Eventual<T>): Eventual<T> {
  try {
    const value = run()
    return value instanceof Promise ? value.catch(recover) : value
  } catch (error) {
    return recover(error)
  }
}
