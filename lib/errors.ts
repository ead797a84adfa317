// SPDX-License-Identifier: Apache-2.0
/**
 * Every error this package throws or emits. Callers switch on `code`; messages are for people.
 * docs/errors.md lists each code with what dies and what to do.
 */

/** Stable across minor versions. */
export type ErrorCode =
  | 'ERR_MULTIPATH_OPTION'
  | 'ERR_MULTIPATH_UNEXPECTED_VERSION'
  | 'ERR_MULTIPATH_UNEXPECTED_CID'
  | 'ERR_MULTIPATH_FAIL_ON_ALL_DIALERS'
  | 'ERR_MULTIPATH_NO_PATH'
  | 'ERR_MULTIPATH_CLOSED'
  | 'ERR_MULTIPATH_HANDSHAKE'
  | 'ERR_MULTIPATH_HANDSHAKE_TIMEOUT'
  | 'ERR_MULTIPATH_FRAME'
  | 'ERR_MULTIPATH_PEER'
  | 'ERR_MULTIPATH_LIMIT'
  | 'ERR_MULTIPATH_REFUSED'
  | 'ERR_MULTIPATH_IDLE'
  | 'ERR_MULTIPATH_SUBFLOW_DEAD'
  | 'ERR_MULTIPATH_UNACKED'
  | 'ERR_MULTIPATH_INCOMPLETE'
  | 'ERR_MULTIPATH_LINGER'
  | 'ERR_MULTIPATH_DEADLINE'
  | 'ERR_MULTIPATH_SCHEDULER'
  | 'ERR_MULTIPATH_MUX_PROTOCOL'
  | 'ERR_MULTIPATH_MUX_CLOSED'
  | 'ERR_MULTIPATH_MUX_RESET'
  | 'ERR_MULTIPATH_MUX_LIMIT'
  | 'ERR_MULTIPATH_MUX_TIMEOUT'

/** Base class: a stable `code`, the `cause` kept. */
export class MultipathError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** The caller gave a value that an option does not take. Nothing was started. */
export class OptionError extends MultipathError {
  constructor(message: string) {
    super('ERR_MULTIPATH_OPTION', message)
  }
}

/** The peer broke the wire format. Closes the subflow that carried the bytes, never the connection. */
export class RemoteProtocolError extends MultipathError {
  constructor(message: string, code: ErrorCode = 'ERR_MULTIPATH_FRAME') {
    super(code, message)
  }
}

/** One path's part in a failed dial. */
export interface PathFailure {
  readonly label: string
  readonly error: Error
}

/** No path led to the peer. `failures` names the cause of each path, `cause` why there was none; Go: ErrFailOnAllDialers. */
export class DialError extends MultipathError {
  readonly failures: readonly PathFailure[]

  /** @param cause - why no path is known, where there was none to fail */
  constructor(destination: string, failures: readonly PathFailure[], cause?: Error) {
    const causes = failures.map(({ label, error }) => `${label}: ${textOf(error)}`)
    const why = cause === undefined ? causes.join('; ') : textOf(cause)
    super('ERR_MULTIPATH_FAIL_ON_ALL_DIALERS', `no path to ${destination}: ${why}`, {
      cause:
        cause ??
        new AggregateError(
          failures.map(({ error }) => error),
          'every path failed',
        ),
    })
    this.failures = failures
  }
}

function textOf(error: Error): string {
  return error.message || String(error)
}

/** Any thrown value as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
