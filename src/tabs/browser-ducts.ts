import type { Duct } from "./duct.ts"

/** A duct whose ends are two channels of one name. */
export function broadcastDuct<In, Out>(name: string): Duct<In, Out> {
  const channel = new BroadcastChannel(name)
  return {
    post: (message) => channel.postMessage(message),
    listen: (listener) => {
      channel.onmessage = ({ data }: MessageEvent<In>) => listener(data)
    },
    end: () => channel.close(),
  }
}

/** A duct whose ends are the two ports of a message channel. */
export function portDuct<In, Out>(port: MessagePort): Duct<In, Out> {
  return {
    post: (message) => port.postMessage(message),
    listen: (listener) => {
      port.onmessage = ({ data }: MessageEvent<In>) => listener(data)
    },
    end: () => port.close(),
  }
}
