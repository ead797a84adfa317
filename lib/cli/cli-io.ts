// SPDX-License-Identifier: Apache-2.0
/** What a command knows of the process it runs in; specs give it another one. */
import type { Readable, Writable } from 'node:stream'
import type { Namespace } from './run/namespace.js'
import type { InheritedSockets } from './streams/inherited-sockets.js'

/** Standard input. */
export interface StandardInput {
  readonly stream: Readable
  /** It is the null device: there is nothing to send, and its end means nothing. */
  readonly isNull: boolean
  /** Someone types: what has not been typed is not missing. */
  readonly isTerminal: boolean
  /** Of a file, bytes; `undefined`: not known. */
  readonly sizeBytes?: number | undefined
}

export interface CliIo {
  /** Opened at the first call, so that a command that does not read leaves it alone. */
  input(): StandardInput
  /** Ending it closes it for those who read from it. */
  output(): Writable
  /** Text that was asked for, as it is. */
  print(text: string): void
  /** A line of diagnostics. */
  report(line: string): void
  /** A line that the next one replaces; empty: none is left. Only on a terminal. */
  readonly progress?: ((line: string) => void) | undefined
  /** Ends the command as a first signal does, or as a second one. */
  stop(isAtOnce: boolean): void
  /**
   * Lends the terminal, the standard streams and the signals to a program: from now on a signal ends nothing, and is told
   * instead, and lines of diagnostics leave the mode of standard error as it is.
   */
  lend(onSignal: (name: NodeJS.Signals) => void): void
  /** Tells of SIGHUP, which ends nothing from then on, unless a terminal has gone that standard input was. */
  onHangup(listener: () => void): void
  /** What a service manager has handed over. @throws {CliError} */
  sockets(): InheritedSockets
  /** A namespace for a program, which is being made. Linux only. */
  namespace(): Namespace
  /** Ends the process at once, whatever is open. */
  exit(code: number): void
  /** The environment. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted by SIGINT, SIGTERM or SIGHUP; its reason is a CliError with the exit code. */
  readonly signal: AbortSignal
}
