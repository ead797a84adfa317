// SPDX-License-Identifier: Apache-2.0
/** A terminal that is ours for a while: its other screen, its keys. However the process ends, it is given back. */
import { emitKeypressEvents } from 'node:readline'
import type { ReadStream, WriteStream } from 'node:tty'
import { ignore } from '../../ignore.js'

export interface Key {
  readonly name: string | undefined
  readonly sequence: string
  readonly ctrl: boolean
}

const ENTER = '\u001B[?1049h\u001B[?25l'
const LEAVE = '\u001B[?25h\u001B[?1049l'
const HOME = '\u001B[H'
const CLEAR_LINE = '\u001B[K'
const CLEAR_REST = '\u001B[J'

export class Terminal {
  readonly #input: ReadStream
  readonly #output: WriteStream
  #isOpen = true
  #shown = ''

  /** @param onKey - told of each key; raw mode hands out those that would be signals as well */
  constructor(input: ReadStream, output: WriteStream, onKey: (key: Key) => void, onResize: () => void) {
    this.#input = input
    this.#output = output
    process.once('exit', this.close)
    // A terminal that goes away says so by errors; SIGHUP ends the command.
    input.on('error', ignore)
    output.on('error', ignore)
    emitKeypressEvents(input)
    input.setRawMode(true)
    input.on('keypress', (_text: string | undefined, key: Key) => onKey(key))
    input.resume()
    output.on('resize', () => {
      this.#shown = ''
      onResize()
    })
    output.write(ENTER)
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get columns(): number {
    return this.#output.columns || 80
  }

  get rows(): number {
    return this.#output.rows || 24
  }

  /** Nothing is written where nothing has changed, or while the terminal has not taken what it was given. */
  draw(lines: readonly string[]): void {
    const text = lines.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')
    if (!this.#isOpen || text === this.#shown || this.#output.writableNeedDrain) return
    this.#shown = text
    this.#output.write(`${HOME}${text}${CLEAR_REST}`)
  }

  readonly close = (): void => {
    if (!this.#isOpen) return
    this.#isOpen = false
    process.off('exit', this.close)
    try {
      this.#input.setRawMode(false)
    } catch {
      // It has gone.
    }
    this.#input.pause()
    this.#output.write(LEAVE)
  }
}
