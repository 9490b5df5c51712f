/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/**
 * Takes the first step of a piece of work now and each of the others in a turn of its own. Resolves behind the last step; undefined
 * when the first was the last.
 */
export function stepByStep<Result>(
  steps: Iterator<undefined, Result>,
  finish: (result: Result) => void,
): Promise<void> | undefined {
  const first = steps.next()
  if (first.done !== true) return goOn(steps, finish)
  finish(first.value)
  return undefined
}

async function goOn<Result>(
  steps: Iterator<undefined, Result>,
  finish: (result: Result) => void,
): Promise<void> {
  for (;;) {
    await nextTurn()
    const step = steps.next()
    if (step.done === true) {
      finish(step.value)
      return
    }
  }
}
