import type { ServerModule, SubscriberModule } from "./contestant.ts"

/** Who takes part. Modules are loaded by the processes that need them, so that nobody's memory holds a competitor. */
export const contestants = {
  "holdfast-json": {
    title: "Holdfast, JSON",
    server: (): Promise<ServerModule> => import("./holdfast/server.ts"),
    subscriber: async (): Promise<SubscriberModule> => (await import("./holdfast/subscriber.ts")).withJson,
  },
  "holdfast-msgpack": {
    title: "Holdfast, MessagePack",
    server: (): Promise<ServerModule> => import("./holdfast/server.ts"),
    subscriber: async (): Promise<SubscriberModule> => (await import("./holdfast/subscriber.ts")).withMsgpack,
  },
  ws: {
    title: "ws, send in a loop",
    server: (): Promise<ServerModule> => import("./ws/server.ts"),
    subscriber: (): Promise<SubscriberModule> => import("./ws/subscriber.ts"),
  },
  "socket.io": {
    title: "Socket.IO, io.emit",
    server: (): Promise<ServerModule> => import("./socket-io/server.ts"),
    subscriber: (): Promise<SubscriberModule> => import("./socket-io/subscriber.ts"),
  },
} as const

export type ContestantName = keyof typeof contestants

export const contestantNames = Object.keys(contestants) as ContestantName[]
