// SPDX-License-Identifier: Apache-2.0
/** Wrong values of flags, found out after parsing. */
import { readFileSync } from 'node:fs'
import { CliError } from '../cli-error.js'
import { EXIT_USAGE } from '../exit-codes.js'

/** The content of a file that a flag names. @throws {CliError} EXIT_USAGE */
export function readOption(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw usage(`cannot read ${file}: ${(error as Error).message}`)
  }
}

export function usage(message: string, hint = 'see --help of the subcommand'): CliError {
  return new CliError(message, { exitCode: EXIT_USAGE, hint })
}
