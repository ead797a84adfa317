// SPDX-License-Identifier: Apache-2.0
/** Why a command ends with something other than 0, in the words that its user reads. */
import { EXIT_FAILED } from './exit-codes.js'

export interface CliErrorOptions extends ErrorOptions {
  /** Default: EXIT_FAILED. */
  readonly exitCode?: number
  /** What to do about it. */
  readonly hint?: string | undefined
  /** It has been reported already, in another form. Default: false. */
  readonly isReported?: boolean
}

/** `message` and `hint` are printed on one line. */
export class CliError extends Error {
  readonly exitCode: number
  readonly hint: string | undefined
  readonly isReported: boolean

  constructor(
    message: string,
    { exitCode = EXIT_FAILED, hint, isReported = false, ...options }: CliErrorOptions = {},
  ) {
    super(message, options)
    this.name = 'CliError'
    this.exitCode = exitCode
    this.hint = hint
    this.isReported = isReported
  }
}

/** Control characters, of C0 and C1. In a terminal, they are commands. */
const CONTROLS = /\p{Cc}/gu

/** Any error as one line: line breaks and control characters of messages that come from elsewhere are taken out. */
export function oneLine(error: unknown): string {
  const { message, hint } = error as Partial<CliError>
  const text = `${message || String(error)}${hint === undefined ? '' : ` (${hint})`}`
  const lines = text.split('\n').map((line) => line.replaceAll(CONTROLS, '').trim())
  return lines.filter((line) => line !== '').join(' ')
}
