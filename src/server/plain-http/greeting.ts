import type { IncomingMessage } from "node:http"
import { parseClientMessage } from "../../protocol/client-message.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { Hello } from "../../protocol/message.ts"

/**
 * The hello that a request stands for: a request is a short connection.
 * @throws HoldfastError `invalid_message`, `too_many_subscriptions`
 */
export function helloOf(
  request: IncomingMessage,
  { token, session, subscriptions }: { token?: unknown; session?: unknown; subscriptions?: unknown },
  channelsMax: number,
  channelsMin = 1,
): Hello {
  const hello = parseClientMessage({
    type: "hello",
    token: token ?? bearerOf(request),
    session,
    subscriptions,
  }) as Hello
  const names = hello.subscriptions.map(({ channel }) => channel)
  if (names.length < channelsMin) {
    throw new HoldfastError("invalid_message", '"subscriptions" has to name a channel.', {
      path: "subscriptions",
    })
  }
  if (names.length > channelsMax) {
    const text = `A request may ask for ${channelsMax} channels, this one asks for ${names.length}.`
    throw new HoldfastError("too_many_subscriptions", text, { limit: channelsMax })
  }
  const again = names.findIndex((name, index) => names.indexOf(name) !== index)
  if (again !== -1) {
    const path = `subscriptions.${again}.channel`
    throw new HoldfastError("invalid_message", `"${names[again]}" is asked for twice.`, { path })
  }
  return hello
}

function bearerOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1]
}
