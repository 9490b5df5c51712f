import { parseClientMessage } from "../../protocol/client-message.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { Hello } from "../../protocol/message.ts"
import type { RequestHeaders } from "./exchange.ts"

/** The fields of a hello as they came in a body or a query, not validated yet. */
export interface HelloFields {
  readonly token?: unknown
  readonly session?: unknown
  readonly subscriptions?: unknown
  readonly presence?: unknown
  readonly since?: unknown
}

/**
 * The hello that a request stands for: a request is a short connection.
 * @throws HoldfastError `invalid_message`, `too_many_subscriptions`
 */
export function helloOf(
  headers: RequestHeaders,
  { token, session, subscriptions, presence, since }: HelloFields,
  channelsMax: number,
): Hello {
  const hello = parseClientMessage({
    type: "hello",
    token: token ?? bearerOf(headers),
    session,
    subscriptions,
    presence,
    since,
  }) as Hello
  checkChannels(hello, "subscriptions", channelsMax)
  checkChannels(hello, "presence", channelsMax)
  return hello
}

/** A list names each channel once, and not too many. */
function checkChannels(hello: Hello, list: "subscriptions" | "presence", channelsMax: number): void {
  const names = (hello[list] ?? []).map(({ channel }) => channel)
  if (names.length > channelsMax) {
    const text = `A request may ask for ${channelsMax} channels, this one asks for ${names.length}.`
    throw new HoldfastError("too_many_subscriptions", text, { path: list, limit: channelsMax })
  }
  const again = names.findIndex((name, index) => names.indexOf(name) !== index)
  if (again === -1) return
  const path = `${list}.${again}.channel`
  throw new HoldfastError("invalid_message", `"${names[again]}" is asked for twice.`, { path })
}

function bearerOf(headers: RequestHeaders): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1]
}
