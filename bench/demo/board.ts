// SPDX-License-Identifier: Apache-2.0
/** A line for each path, in place on a terminal and once a second elsewhere. */
import type { DemoPath } from './path.js'

const TERMINAL_MS = 200
const PLAIN_MS = 1000
const MB = 1_000_000
const BAR_MB_PER_SECOND = 1.5
const BAR_CELLS = 16

export class Board implements Disposable {
  readonly #paths: readonly DemoPath[]
  readonly #total: number
  readonly #received: () => number
  readonly #out: NodeJS.WriteStream
  readonly #timer: NodeJS.Timeout
  #before: { at: number; bytes: number[] }
  #linesInPlace = 0

  constructor(
    paths: readonly DemoPath[],
    total: number,
    received: () => number,
    out: NodeJS.WriteStream = process.stdout,
  ) {
    this.#paths = paths
    this.#total = total
    this.#received = received
    this.#out = out
    this.#before = this.#sample()
    this.#timer = setInterval(() => this.#draw(), out.isTTY ? TERMINAL_MS : PLAIN_MS)
  }

  /** A line that stays, above the lines of the paths. */
  say(text: string): void {
    const head = this.#linesInPlace > 0 ? `\x1b[${this.#linesInPlace}A\x1b[J` : ''
    this.#linesInPlace = 0
    this.#out.write(`${head}${text}\n`)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#draw()
  }

  #sample(): { at: number; bytes: number[] } {
    return { at: performance.now(), bytes: this.#paths.map((path) => path.bytes) }
  }

  #draw(): void {
    const now = this.#sample()
    const seconds = Math.max(now.at - this.#before.at, 1) / 1000
    const lines = this.#paths.map((path, index) => {
      const rate = (now.bytes[index]! - this.#before.bytes[index]!) / MB / seconds
      return line(path, rate)
    })
    this.#before = now
    const received = this.#received()
    const share = Math.floor((received / this.#total) * 100)
    lines.push(`received ${(received / MB).toFixed(1)} of ${(this.#total / MB).toFixed(1)} MB, ${share} %`)
    this.say(lines.join('\n'))
    if (this.#out.isTTY) this.#linesInPlace = lines.length
  }
}

function line(path: DemoPath, rate: number): string {
  const cells = Math.min(BAR_CELLS, Math.round(rate / BAR_MB_PER_SECOND))
  const bar = '#'.repeat(cells).padEnd(BAR_CELLS, '.')
  const sent = `${(path.bytes / MB).toFixed(1)} MB`
  return `  ${path.name}  ${path.state.padEnd(10)}  ${bar} ${rate.toFixed(1).padStart(5)} MB/s  ${sent.padStart(9)}  ${path.note}`.trimEnd()
}
