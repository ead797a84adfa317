// SPDX-License-Identifier: Apache-2.0
/** The command line without the other commands: a program waits for every module that `run` loads. */
import type { CliIo } from '../cli-io.js'
import { runCommandLine } from '../command-line.js'
import { RUN } from './run.js'

/** Runs the command line `args`, the first of which is `run`. @returns the exit code; never rejects */
export function runCli(args: readonly string[], io: CliIo): Promise<number> {
  return runCommandLine([RUN], args, io)
}
