import { formatCount, formatSeconds } from "../format.ts"
import { onSchemeChange, type Palette, palette } from "../palette.ts"
import type { Ledger, Mark, Trouble } from "./ledger.ts"

/** Where things stand on the canvas, in CSS pixels. */
interface Frame {
  readonly context: CanvasRenderingContext2D
  readonly colours: Palette
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
  readonly nowMs: number
  readonly windowMs: number
  readonly x: (ms: number) => number
}

const TOP = 22
const BOTTOM = 24
/** On a canvas narrower than this there is no room for words beside the rails. */
const NARROW = 600
/** The room that a burst's label needs. */
const LABEL_WIDTH = 48
/** More than so many events on one column are a burst, and get a line that shows. */
const BURST = 40

/**
 * Draws every event as a line from the moment it was published (above) to the moment it arrived (below). What is
 * delivered live falls straight down; what had to wait fans in on the moment of the replay. Nothing is drawn for an event that
 * has not arrived: that it exists is not known here.
 */
export function createTimeline(canvas: HTMLCanvasElement, ledger: Ledger) {
  const context = canvas.getContext("2d")
  if (context === null) throw new Error("The canvas cannot be drawn on.")
  const font = `12px ${getComputedStyle(canvas).fontFamily}`
  let colours = palette()
  let width = 0
  let height = 0

  new ResizeObserver(() => {
    width = canvas.clientWidth
    height = canvas.clientHeight
    canvas.width = Math.round(width * devicePixelRatio)
    canvas.height = Math.round(height * devicePixelRatio)
  }).observe(canvas)
  onSchemeChange(() => {
    colours = palette()
  })

  function frameAt(context: CanvasRenderingContext2D, nowMs: number): Frame {
    const windowMs = width < NARROW ? 20_000 : 30_000
    const left = width < NARROW ? 0 : 84
    const right = width
    const x = (ms: number) => right - ((nowMs - ms) / windowMs) * (right - left)
    return { context, colours, left, right, top: TOP, bottom: height - BOTTOM, nowMs, windowMs, x }
  }

  return (nowMs: number): void => {
    if (width === 0) return
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
    context.clearRect(0, 0, width, height)
    context.font = font
    const frame = frameAt(context, nowMs)
    context.save()
    context.beginPath()
    context.rect(frame.left, 0, frame.right - frame.left, height)
    context.clip()
    for (const trouble of ledger.troubles) shade(frame, trouble)
    drawLate(frame, ledger.marks)
    drawLive(frame, ledger.marks)
    context.restore()
    nameBursts(frame, ledger.marks)
    drawRails(frame, nameTroubles(frame, ledger.troubles))
  }
}

function drawRails(frame: Frame, hasRoomBelow: boolean): void {
  const { context, colours, left, right, top, bottom, windowMs } = frame
  context.fillStyle = colours.deepMuted
  context.fillRect(left, top - 1, right - left, 1)
  context.fillRect(left, bottom, right - left, 1)
  context.textAlign = "right"
  context.fillText("now", right, top - 8)
  context.textAlign = "left"
  if (left > 0) {
    context.fillText(`${windowMs / 1_000} s ago`, left, top - 8)
    context.fillText("published", 0, top + 4)
    context.fillText("arrived here", 0, bottom + 4)
    return
  }
  context.fillText("published", 0, top - 8)
  if (hasRoomBelow) context.fillText("arrived here", 0, bottom + 16)
}

const colourOf = ({ colours }: Frame, { kind }: Trouble): string =>
  kind === "away" ? colours.away : colours.deepMuted

function shade(frame: Frame, trouble: Trouble): void {
  const { context, top, bottom, nowMs, x } = frame
  const from = x(trouble.fromMs)
  const width = Math.max(2, x(Math.min(trouble.toMs, nowMs)) - from)
  context.fillStyle = colourOf(frame, trouble)
  context.globalAlpha = 0.14
  context.fillRect(from, top, width, bottom - top)
  context.globalAlpha = 1
  context.fillRect(from, bottom - 1, width, 3)
}

/** Writes below each trouble what it was, the newest first, as far as there is room. Returns whether the left end is free. */
function nameTroubles(frame: Frame, troubles: readonly Trouble[]): boolean {
  const { context, left, right, bottom, nowMs, x } = frame
  let freeUntil = right
  context.textAlign = "left"
  for (const trouble of [...troubles].reverse()) {
    if (x(Math.min(trouble.toMs, nowMs)) < left) continue
    const fitting = wordings(trouble, nowMs).find(
      (text) => context.measureText(text).width <= freeUntil - left,
    )
    if (fitting === undefined) break
    const widest = freeUntil - context.measureText(fitting).width
    const start = Math.max(left, Math.min(x(trouble.fromMs), widest))
    context.fillStyle = colourOf(frame, trouble)
    context.fillText(fitting, start, bottom + 17)
    freeUntil = start - 12
  }
  return freeUntil - left > 90
}

/** What a trouble was, from the longest wording to the shortest. */
function wordings({ kind, fromMs, toMs, caughtUp }: Trouble, nowMs: number): string[] {
  const lasted = formatSeconds(Math.min(toMs, nowMs) - fromMs)
  const name = kind === "away" ? "not connected" : "not reading"
  if (caughtUp === 0) return [`${name} ${lasted}`, lasted]
  const count = formatCount(caughtUp)
  return [`${name} ${lasted}, then ${count} caught up`, `${name} ${lasted}, +${count}`, `+${count}`]
}

function drawLate({ context, colours, left, top, bottom, x }: Frame, marks: readonly Mark[]): void {
  context.beginPath()
  for (const mark of marks) {
    if (!mark.late || x(mark.arrivedMs) < left) continue
    context.moveTo(x(mark.publishedMs), top)
    context.lineTo(x(mark.arrivedMs), bottom)
  }
  context.strokeStyle = colours.late
  context.globalAlpha = 0.55
  // As fine as the screen can: what fans in stays a fan, rather than a wedge.
  context.lineWidth = Math.max(0.5, 1 / devicePixelRatio)
  context.stroke()
  context.globalAlpha = 1
}

/** Those that arrived in one moment share a column, or five hundred of them would be drawn for one that is seen. */
function drawLive(frame: Frame, marks: readonly Mark[]): void {
  const { context, colours, left, right, top, bottom, x, windowMs } = frame
  const columns = new Map<number, number>()
  for (const { late, arrivedMs } of marks) {
    if (late || x(arrivedMs) < left - 2) continue
    const moment = Math.round(arrivedMs / 10) * 10
    columns.set(moment, (columns.get(moment) ?? 0) + 1)
  }
  const isDense = (right - left) / windowMs < 0.025
  context.fillStyle = colours.live
  for (const [moment, count] of columns) {
    const width = count > BURST ? 2 : 1
    context.globalAlpha = count > BURST ? 1 : isDense ? 0.4 : 0.6
    context.fillRect(x(moment) - width / 2, top, width, bottom - top)
  }
  context.globalAlpha = 1
}

/** Writes above each burst how many of its events have arrived; bursts without room between them are named together. */
function nameBursts({ context, colours, left, right, top, x }: Frame, marks: readonly Mark[]): void {
  context.fillStyle = colours.live
  context.textAlign = "center"
  const labels: { x: number; count: number }[] = []
  for (const { count, arrivedMs } of burstsOf(marks)) {
    const newest = labels.at(-1)
    const at = x(arrivedMs)
    if (newest !== undefined && at - newest.x < LABEL_WIDTH) newest.count += count
    else labels.push({ x: at, count })
  }
  for (const { x, count } of labels) {
    // Not into the words at the ends of the rail.
    if (x > left + 80 && x < right - 50) context.fillText(`+${formatCount(count)}`, x, top - 8)
  }
}

/** The bursts in the order of their arrival. */
function burstsOf(marks: readonly Mark[]): Iterable<{ count: number; arrivedMs: number }> {
  const bursts = new Map<number, { count: number; arrivedMs: number }>()
  for (const { burst, arrivedMs } of marks) {
    if (burst !== undefined) bursts.set(burst, { count: (bursts.get(burst)?.count ?? 0) + 1, arrivedMs })
  }
  return bursts.values()
}
