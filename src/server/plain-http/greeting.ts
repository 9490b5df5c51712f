import type { IncomingMessage } from "node:http"
import { parseClientMessage } from "../../protocol/client-message.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { Hello } from "../../protocol/message.ts"

/** What a request says of itself, still to be checked. */
export interface Asked {
  readonly token?: unknown
  readonly session?: unknown
  readonly subscriptions?: unknown
  readonly presence?: unknown
}

/**
 * The hello that a request stands for: a request is a short connection.
 * @throws HoldfastError `invalid_message`, `too_many_subscriptions`
 */
export function helloOf(
  request: IncomingMessage,
  { token, session, subscriptions, presence }: Asked,
  channelsMax: number,
  channelsMin = 1,
): Hello {
  const hello = parseClientMessage({
    type: "hello",
    token: token ?? bearerOf(request),
    session,
    subscriptions,
    presence,
  }) as Hello
  const names = channelsOnce(hello, "subscriptions", channelsMax)
  const entered = channelsOnce(hello, "presence", channelsMax)
  if (names.length < channelsMin && entered.length === 0) {
    throw new HoldfastError("invalid_message", '"subscriptions" has to name a channel.', {
      path: "subscriptions",
    })
  }
  return hello
}

/** The channels of a list, each of them once. */
function channelsOnce(hello: Hello, list: "subscriptions" | "presence", channelsMax: number): string[] {
  const names = (hello[list] ?? []).map(({ channel }) => channel)
  if (names.length > channelsMax) {
    const text = `A request may ask for ${channelsMax} channels, this one asks for ${names.length}.`
    throw new HoldfastError("too_many_subscriptions", text, { path: list, limit: channelsMax })
  }
  const again = names.findIndex((name, index) => names.indexOf(name) !== index)
  if (again === -1) return names
  const path = `${list}.${again}.channel`
  throw new HoldfastError("invalid_message", `"${names[again]}" is asked for twice.`, { path })
}

function bearerOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1]
}
