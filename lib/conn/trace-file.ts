// SPDX-License-Identifier: Apache-2.0
/** A trace in a file: lines are collected and appended in large pieces, so that it costs next to nothing. */
import { appendFileSync } from 'node:fs'

/** May throw; then it is left alone. */
export interface TraceOutput {
  /** In a warning. */
  readonly name: string
  write(line: string): void
  /** Lets go of what is held back. */
  flush(): void
}

/** Characters that are collected before they are written. */
const PIECE = 65_536

export class TraceFile implements TraceOutput {
  readonly name: string
  readonly #path: string
  #text = ''

  constructor(path: string) {
    this.#path = path
    this.name = `the file ${path}`
  }

  write(line: string): void {
    this.#text += `${line}\n`
    if (this.#text.length >= PIECE) this.flush()
  }

  /** Appends what is there: another process may write to the same file, or an earlier one have done so. */
  flush(): void {
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    appendFileSync(this.#path, text)
  }
}
