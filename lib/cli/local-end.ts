// SPDX-License-Identifier: Apache-2.0
/** What stands at our end of the connection: standard streams, a program, a TCP server. */
import type { Readable, Writable } from 'node:stream'
import type { CliIo } from './cli-io.js'

export interface LocalEnd {
  /** In messages: "standard input". */
  readonly inputName: string
  readonly outputName: string
  /** What goes to the peer. */
  readonly input: Readable
  /** What comes from the peer. */
  readonly output: Writable
  /** Nothing will ever come from `input`: its end is no reason to close. */
  readonly isMute: boolean
  /** `output` may close early with nothing lost: whoever reads it has decided so. */
  readonly mayStopReading: boolean
  /** After the peer closed: how long, milliseconds, `input` may take to end before it is cut off. */
  readonly graceMs: number
  /** Of the input, bytes; `undefined`: not known. */
  readonly sizeBytes?: number | undefined
  /** A line of progress would stand among what is typed there. Default: false. */
  readonly isTyped?: boolean
  /** Among what is read there, once something has come. Default: false. */
  readonly isReadByUser?: boolean
  /** Once true, nothing that the peer sends can reach anybody. */
  isGone(): boolean
  /** Resolves once all is over at this end; @throws {CliError} when it went wrong there */
  finished(): Promise<void>
  /** Gives up at once. */
  abort(): void
}

/** Reads of a file that are under way take less, milliseconds. */
const STANDARD_GRACE_MS = 200

export function standardEnd(io: CliIo): LocalEnd {
  const { stream: input, isNull, isTerminal, sizeBytes } = io.input()
  const output = io.output()
  return {
    inputName: 'standard input',
    outputName: 'standard output',
    input,
    output,
    isMute: isNull,
    mayStopReading: false,
    graceMs: isTerminal ? 0 : STANDARD_GRACE_MS,
    sizeBytes,
    isTyped: isTerminal,
    isReadByUser: 'isTTY' in output,
    isGone: () => false,
    finished: () => Promise.resolve(),
    abort: () => {
      input.destroy()
      output.destroy()
    },
  }
}
