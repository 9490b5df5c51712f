/** What a command may carry. */
export type Argument = string | Buffer

export type MessageListener = (message: Buffer, channel: Buffer) => void

export interface LineHandlers {
  /** Nothing will come through it any more. Called once at most. */
  readonly handleLost: () => void
  /** One subscription has ended, as another server tells of the channel now. */
  readonly handleMoved: (live: string) => void
}

/** A connection of its own for live entries. Once lost it is not used again. */
export interface Line {
  /** Resolves when it is connected. */
  readonly open: (handlers: LineHandlers) => Promise<void>
  readonly subscribe: (live: string, listener: MessageListener) => Promise<void>
  readonly unsubscribe: (live: string, listener: MessageListener) => Promise<void>
  /** Resolves when the server has answered. */
  readonly ping: () => Promise<void>
  readonly destroy: () => void
}

/** One life of the connection to Redis, whatever its topology. Once lost it is not used again. */
export interface Session {
  readonly connect: () => Promise<void>
  /** Whether one server is all there is: when it is silent, the session is of no more use. */
  readonly isSingle: boolean
  /** Sends a command to any server that answers. Texts in the answer are Buffers. */
  readonly ask: (args: readonly Argument[]) => Promise<unknown>
  /**
   * Sends a command to the server that has `key`, as soon as there is a connection to it, and if `start`, which is called just
   * before, still wants it. Texts in the answer are Buffers.
   */
  readonly send: (key: string, args: readonly Argument[], start: () => boolean) => Promise<unknown>
  /** Resolves when a server has answered that takes commands. @throws what it says otherwise, or what the client library throws */
  readonly check: () => Promise<void>
  /** Names the server that tells of a partition's appends, and makes a line to it. */
  readonly route: (partition: number) => Promise<{ readonly server: string; readonly line: () => Line }>
  readonly destroy: () => void
}

/** Makes a session. `handleLost` tells that it can't be used any more, if it knows. */
export type OpenSession = (handleLost: () => void) => Session
