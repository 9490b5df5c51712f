import { BINARY, end, type PlainClient, type SentinelClient, single } from "./clients.ts"
import { plainLine, sentinelLine } from "./line.ts"
import type { Argument, Session } from "./session.ts"

export function plainSession(pattern: PlainClient, handleLost: () => void): Session {
  const client = single(pattern)
  client.on("error", handleLost)
  const ask = (args: readonly Argument[]) => client.sendCommand(args, BINARY)
  return {
    isSingle: true,
    connect: async () => void (await client.connect()),
    ask,
    check: async () => void (await ask(["PING"])),
    send: async (_key, args, start) => (start() ? ask(args) : undefined),
    route: async () => ({ server: "", line: () => plainLine(pattern) }),
    destroy: () => end(client),
  }
}

export function sentinelSession(pattern: SentinelClient): Session {
  const sentinel = pattern.duplicate()
  sentinel.on("error", () => undefined)
  const ask = (args: readonly Argument[]) => sentinel.sendCommand(false, args, BINARY)
  return {
    isSingle: true,
    connect: async () => void (await sentinel.connect()),
    ask,
    check: async () => void (await ask(["PING"])),
    send: async (_key, args, start) => (start() ? ask(args) : undefined),
    route: async () => ({ server: "", line: () => sentinelLine(pattern.duplicate()) }),
    destroy: () => end(sentinel),
  }
}
