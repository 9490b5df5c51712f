/** What the server of the transports can be asked to do. */
export interface TransportServerCommands {
  start: (wanted: undefined) => { readonly port: number }
  /** Publishes on every channel once a second, evenly over that second, for so long. */
  publish: (wanted: { readonly channels: number; readonly seconds: number }) => void
  /** What has been spent since that began. */
  spent: (wanted: undefined) => { readonly elapsedUs: number; readonly cpuUs: number }
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
  /** Answers when so many messages have come: how long they were on their way, in ms, in the order of arrival. */
  take: (wanted: { readonly count: number }) => Float64Array
}
