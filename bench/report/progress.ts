/** Says on stderr how far a long benchmark has come: on a terminal in one line, in a log line by line. */
export class Progress {
  readonly #total: number
  readonly #startedMs = performance.now()
  #done = 0

  constructor(total: number) {
    this.#total = total
  }

  /** Says that a step begins. */
  step(title: string): void {
    const elapsedS = (performance.now() - this.#startedMs) / 1000
    const leftS = this.#done === 0 ? undefined : (elapsedS / this.#done) * (this.#total - this.#done)
    const left = leftS === undefined ? "" : `, about ${Math.ceil(leftS)} s left`
    this.#done++
    this.#write(`[${this.#done}/${this.#total}${left}] ${title}`)
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K")
  }

  #write(text: string): void {
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)
  }
}
