import { HoldfastError } from "../../../protocol/error.ts"
import type { History, SubscriptionRequest } from "../../../protocol/message.ts"
import type { Position } from "../../../protocol/position.ts"
import { parseEventId } from "./event-id.ts"

/**
 * The subscriptions that a query asks for.
 * @throws HoldfastError `invalid_request` that names the parameter, or the header
 */
export function subscriptionsOf(query: URLSearchParams, lastEventId: string | null): SubscriptionRequest[] {
  const channels = query.getAll("channel")
  const positions = query.getAll("position").map(positionOf)
  if (channels.length === 0) throw wrong("channel", 'The query has to name a channel: "?channel=room/lobby".')
  if (positions.length > channels.length) {
    throw wrong("position", `There are ${positions.length} positions for ${channels.length} channels.`)
  }
  if (lastEventId !== null && lastEventId !== "") positions[0] = resumeAt(lastEventId, channels.length)
  const history = historyOf(query)
  return channels.map((channel, index) => {
    const position = positions[index]
    return {
      channel,
      ...(position !== undefined && { position }),
      ...(history !== undefined && { history }),
    }
  })
}

/** An empty parameter is no position. */
function positionOf(text: string, index: number): Position | undefined {
  if (text === "") return undefined
  const position = parseEventId(text)
  if (position === undefined) {
    throw wrong(
      `position.${index}`,
      `A position is EPOCH:OFFSET, as in the id of an event, not ${brief(text)}.`,
    )
  }
  return position
}

function resumeAt(lastEventId: string, channels: number): Position {
  if (channels > 1) {
    const text = `Last-Event-ID tells of one channel, and ${channels} are asked for: give each its "position" instead.`
    throw wrong("Last-Event-ID", text)
  }
  const position = parseEventId(lastEventId)
  if (position === undefined) {
    throw wrong("Last-Event-ID", `Last-Event-ID has to be an id of this stream, not ${brief(lastEventId)}.`)
  }
  return position
}

function historyOf(query: URLSearchParams): History | undefined {
  const text = query.get("history")
  if (text === null) return undefined
  if (text === "all") return "all"
  if (/^\d{1,9}$/.test(text)) return { last: Number(text) }
  throw wrong("history", `The history is "all" or a number of events, not ${brief(text)}.`)
}

function wrong(path: string, text: string): HoldfastError {
  return new HoldfastError("invalid_request", text, { path })
}

function brief(text: string): string {
  return JSON.stringify(text.length <= 40 ? text : `${text.slice(0, 40)}…`)
}
