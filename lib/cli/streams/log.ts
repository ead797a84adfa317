// SPDX-License-Identifier: Apache-2.0
/** Lines of diagnostics of a command that runs for long: text, or with --json an object a line. */
import { CliError, oneLine } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import type { Fields, Level } from '../json-line.js'
import { failedLine, jsonLine } from '../json-line.js'

export interface LogOptions {
  readonly isJson: boolean
  /** Otherwise `detail` says nothing. */
  readonly isVerbose: boolean
}

/** Every line has an `event`, for programs, and a message, for people. */
export class Log {
  readonly #io: CliIo
  readonly #options: LogOptions

  constructor(io: CliIo, options: LogOptions) {
    this.#io = io
    this.#options = options
  }

  get isVerbose(): boolean {
    return this.#options.isVerbose
  }

  info(event: string, message: string, fields?: Fields): void {
    this.#line('info', event, message, fields)
  }

  warn(event: string, message: string, fields?: Fields): void {
    this.#line('warn', event, message, fields)
  }

  /** Only with --verbose. */
  detail(event: string, message: string, fields?: Fields): void {
    if (this.#options.isVerbose) this.#line('debug', event, message, fields)
  }

  /** The error that ends the command, for it to throw: as JSON it has been reported then. */
  final(error: unknown): CliError {
    const known = error instanceof CliError ? error : new CliError((error as Error).message, { cause: error })
    if (!this.#options.isJson) return known
    this.#io.report(failedLine(oneLine(known), known.exitCode))
    const { message, exitCode, hint } = known
    return new CliError(message, { exitCode, hint, cause: known, isReported: true })
  }

  #line(level: Level, event: string, message: string, fields?: Fields): void {
    if (!this.#options.isJson) this.#io.report(`multipath: ${message}`)
    else this.#io.report(jsonLine(level, event, message, fields))
  }
}
