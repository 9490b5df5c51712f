/** What an audience needs: whether it is there, and what to start and stop for it. */
export interface AudiencePorts {
  readonly hasConnections: () => boolean
  readonly start: () => void
  readonly stop: () => void
}

/** Longer than a tab stays offline on purpose: what is published meanwhile is what it catches up with. */
export const LINGER_MS = 60_000
export const LOOK_EVERY_MS = 5_000

/** Runs the publishers only while a client is connected and for a while after: a playground left alone costs nothing. */
export function createAudience({ hasConnections, start, stop }: AudiencePorts) {
  let looking: ReturnType<typeof setInterval> | undefined
  let idleLooks = 0

  function look(): void {
    idleLooks = hasConnections() ? 0 : idleLooks + 1
    if (idleLooks * LOOK_EVERY_MS >= LINGER_MS) rest()
  }

  function rest(): void {
    if (looking === undefined) return
    clearInterval(looking)
    looking = undefined
    stop()
  }

  return {
    handleConnection: (): void => {
      idleLooks = 0
      if (looking !== undefined) return
      looking = setInterval(look, LOOK_EVERY_MS)
      start()
    },
    stop: rest,
  }
}
