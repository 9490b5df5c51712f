/** Web Locks: what a page holds is free at the moment the page is gone, in whatever way. */

/** Holds a lock as soon as it is free. Returns how to let go, and to give up waiting. */
export function hold(name: string, handleHeld: () => void, handleLost: () => void = () => {}): () => void {
  const waiting = new AbortController()
  const request = (held: () => Promise<void>) =>
    navigator.locks.request(name, { signal: waiting.signal }, held)
  return held(request, handleHeld, handleLost, () => waiting.abort())
}

/** Takes a lock from whoever holds it. */
export function steal(name: string, handleHeld: () => void, handleLost: () => void): () => void {
  return held(
    (held) => navigator.locks.request(name, { steal: true }, held),
    handleHeld,
    handleLost,
    () => {},
  )
}

function held(
  request: (held: () => Promise<void>) => Promise<unknown>,
  handleHeld: () => void,
  handleLost: () => void,
  abort: () => void,
): () => void {
  let over = false
  let release: (() => void) | undefined
  request(() => {
    if (over) return Promise.resolve()
    const holding = new Promise<void>((resolve) => {
      release = resolve
    })
    handleHeld()
    return holding
  }).catch(() => {
    // it was taken away, unless nobody waits for it any more
    if (!over) handleLost()
  })
  return () => {
    if (over) return
    over = true
    if (release === undefined) abort()
    else release()
  }
}
