import { make, write } from "../element.ts"
import { formatTime } from "../format.ts"
import { avatar } from "./avatar.ts"

export interface ChatMessage {
  /** Drawn by the tab that sends it. */
  readonly ref: string
  readonly name: string
  readonly text: string
  /** ms since 1970. */
  readonly at: number
}

const MESSAGES_MAX = 300
/** Within this time, what one person says stands under one name. */
const TOGETHER_MS = 3 * 60_000
/** So close to its end, a list is taken for one that is read at its end. */
const NEAR_END_PX = 40

interface Row extends ChatMessage {
  readonly item: HTMLLIElement
  readonly note: HTMLElement
  isPending: boolean
}

/** The messages, oldest first; those that have not arrived yet stand at the end. `log` scrolls them. */
export function createMessageList(list: HTMLElement, log: HTMLElement) {
  let rows: Row[] = []
  /** Whoever reads at the list's end stays there, whatever is added and however the list's height changes. */
  let isAtEnd = true

  const toEnd = () => {
    if (isAtEnd) log.scrollTop = log.scrollHeight
  }
  log.addEventListener("scroll", () => {
    isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX
  })
  new ResizeObserver(toEnd).observe(log)

  function change(work: () => void): void {
    work()
    regroup(rows)
    toEnd()
  }

  function insert(row: Row): void {
    const next = row.isPending ? undefined : rows.find((other) => other.isPending)
    list.insertBefore(row.item, next?.item ?? null)
    rows.splice(next === undefined ? rows.length : rows.indexOf(next), 0, row)
    while (rows.length > MESSAGES_MAX) rows.shift()?.item.remove()
  }

  function remove(ref: string): void {
    rows.find((row) => row.ref === ref)?.item.remove()
    rows = rows.filter((row) => row.ref !== ref)
  }

  return {
    /** Shows a message that arrived; it takes the place of the pending one of the same `ref`. */
    add: (message: ChatMessage): void =>
      change(() => {
        remove(message.ref)
        insert(makeRow(message, false))
      }),
    addPending: (message: ChatMessage, note: string): void =>
      change(() => {
        const row = makeRow(message, true)
        write(row.note, note)
        insert(row)
        // Whoever writes wants to see what they wrote.
        isAtEnd = true
      }),
    /** Says of all that has not arrived what it waits for. */
    notePending: (note: string): void => {
      for (const row of rows)
        if (row.isPending && !row.item.classList.contains("refused")) write(row.note, note)
    },
    refuse: (ref: string, reason: string): void => {
      const row = rows.find((other) => other.ref === ref)
      if (row === undefined) return
      row.item.classList.add("refused")
      write(row.note, reason)
    },
    /** A remark between the messages. */
    remark: (text: string): void => change(() => list.append(make("li", "message-note", text))),
  }
}

function makeRow(message: ChatMessage, isPending: boolean): Row {
  const note = make("span", "message-time", formatTime(message.at))
  const head = make("span", "message-head", make("span", "message-name", message.name), note)
  const item = make(
    "li",
    isPending ? "message pending" : "message",
    avatar(message.name),
    head,
    make("span", "message-text", message.text),
  )
  return { ...message, item, note, isPending }
}

function regroup(rows: readonly Row[]): void {
  for (const [index, row] of rows.entries()) {
    const before = rows[index - 1]
    const follows = before !== undefined && before.name === row.name && row.at - before.at < TOGETHER_MS
    row.item.classList.toggle("follows", follows)
  }
}
