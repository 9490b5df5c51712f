/** A person who has not typed for so long has stopped. */
const STOPPED_AFTER_MS = 3_000
/** So often a person who types says so. */
const SAY_EVERY_MS = 1_500

/** Who is typing, as their signals tell: there is one for starting and none for stopping. */
export function createTyping(show: (names: readonly string[]) => void) {
  const typing = new Map<string, { readonly name: string; readonly timer: ReturnType<typeof setTimeout> }>()
  const showAll = () => show([...typing.values()].map(({ name }) => name))

  function stop(member: string): void {
    clearTimeout(typing.get(member)?.timer)
    if (typing.delete(member)) showAll()
  }

  return {
    handleTyping: (member: string, name: string): void => {
      clearTimeout(typing.get(member)?.timer)
      typing.set(member, { name, timer: setTimeout(() => stop(member), STOPPED_AFTER_MS) })
      showAll()
    },
    /** What was typed has arrived. */
    handleSaid: stop,
  }
}

/** Calls `say` at once, but not again before some time has gone by. */
export function sayingTyping(say: () => void): { typed: () => void; sent: () => void } {
  let saidMs = Number.NEGATIVE_INFINITY
  return {
    typed: () => {
      if (performance.now() - saidMs < SAY_EVERY_MS) return
      saidMs = performance.now()
      say()
    },
    sent: () => {
      saidMs = Number.NEGATIVE_INFINITY
    },
  }
}
