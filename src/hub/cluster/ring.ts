/**
 * `alive`: it renews its lease. `left`: it has closed, and what it still holds goes when its lease is over. `dead`: its lease is over, and
 * what it held is being removed.
 */
export type NodeState = "alive" | "left" | "dead"

/** The lives of nodes, each followed by the next in the order of their names, and the last by the first. */
export type Ring = ReadonlyMap<string, NodeState>

export function livesIn(ring: Ring, ...states: readonly NodeState[]): string[] {
  return [...ring].flatMap(([life, state]) => (states.includes(state) ? life : [])).sort()
}

/** Those that are not known to be dead, beginning with the successor of `life`. */
export function followersOf(ring: Ring, life: string): string[] {
  const lives = livesIn(ring, "alive", "left")
  return [...lives.filter((each) => each > life), ...lives.filter((each) => each < life)]
}

/** The dead that no living node is between and `life`. */
export function deadBehind(ring: Ring, life: string): string[] {
  const alive = livesIn(ring, "alive")
  const before = (dead: string) => alive.filter((each) => each < dead).at(-1) ?? alive.at(-1)
  return livesIn(ring, "dead").filter((dead) => before(dead) === life)
}
