/** What the server of the transports can be asked to do. */
export interface TransportServerCommands {
  start: (wanted: undefined) => { readonly port: number }
  /** Publishes on every channel once a second, evenly over that second, for so long. Says what that cost. */
  publish: (wanted: { readonly channels: number; readonly seconds: number }) => {
    readonly elapsedUs: number
    readonly cpuUs: number
  }
}

export type TransportName = "websocket" | "sse" | "poll"

/** What the process of the clients can be asked to do. */
export interface TransportLoadCommands {
  /** Answers when all of them are live. */
  connect: (wanted: {
    readonly port: number
    readonly transport: TransportName
    readonly clients: number
    readonly channels: number
  }) => void
  /** How long what came since `connect` was on its way, in ms, in the order of arrival. */
  take: (wanted: undefined) => Float64Array
}
