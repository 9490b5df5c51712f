/** The room and the market that the playground has. */
export const room = { room: "lobby" } as const
export const venue = { venue: "harbour" } as const

/** How often the pulse beats, in ms. */
export const beatEveryMs = 50
