// SPDX-License-Identifier: Apache-2.0
/**
 * Every error this package throws or emits. Programs written for net switch on `code`, those written for this package on
 * `multipathCode`; messages are for people. docs/errors.md lists the effect and the remedy of each code.
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
  | 'ERR_MULTIPATH_AUTH'
  | 'ERR_MULTIPATH_LIMIT'
  | 'ERR_MULTIPATH_REFUSED'
  | 'ERR_MULTIPATH_IDLE'
  | 'ERR_MULTIPATH_SUBFLOW_DEAD'
  | 'ERR_MULTIPATH_UNACKED'
  | 'ERR_MULTIPATH_INCOMPLETE'
  | 'ERR_MULTIPATH_RESET'
  | 'ERR_MULTIPATH_HOLD'
  | 'ERR_MULTIPATH_RESTARTED'
  | 'ERR_MULTIPATH_LINGER'
  | 'ERR_MULTIPATH_DEADLINE'
  | 'ERR_MULTIPATH_SCHEDULER'
  | 'ERR_MULTIPATH_MUX_PROTOCOL'
  | 'ERR_MULTIPATH_MUX_CLOSED'
  | 'ERR_MULTIPATH_MUX_RESET'
  | 'ERR_MULTIPATH_MUX_LIMIT'
  | 'ERR_MULTIPATH_MUX_TIMEOUT'

/** Details of a failed system call. A field is absent if it is not known. */
export interface SystemDetail {
  /** Number of the error in the system. */
  readonly errno?: number
  /** System call that failed, such as `connect`. */
  readonly syscall?: string
  /** Name that was looked up. */
  readonly hostname?: string
  /** Address that was dialled. */
  readonly address?: string
  /** Port that was dialled. */
  readonly port?: number
}

/** What net would say of the end of a connection, where no error of the system tells more. */
const NET_CODES: Partial<Record<ErrorCode, string>> = {
  ERR_MULTIPATH_UNACKED: 'ECONNRESET',
  ERR_MULTIPATH_INCOMPLETE: 'ECONNRESET',
  ERR_MULTIPATH_RESET: 'ECONNRESET',
  ERR_MULTIPATH_HOLD: 'ETIMEDOUT',
  ERR_MULTIPATH_RESTARTED: 'ECONNRESET',
  ERR_MULTIPATH_LINGER: 'ETIMEDOUT',
  ERR_MULTIPATH_MUX_RESET: 'ECONNRESET',
}

/** What net would say of what befell one path. */
const PATH_CODES: Partial<Record<ErrorCode, string>> = {
  ERR_MULTIPATH_HANDSHAKE: 'ECONNRESET',
  ERR_MULTIPATH_HANDSHAKE_TIMEOUT: 'ETIMEDOUT',
  ERR_MULTIPATH_SUBFLOW_DEAD: 'ETIMEDOUT',
}

/**
 * Base class of all errors, with stable codes. If an error ends or prevents a connection, and `net` has a code for that,
 * `code` is Node's own, such as ECONNRESET. Otherwise it equals `multipathCode`. `cause` holds the underlying error.
 */
export class MultipathError extends Error implements SystemDetail {
  /** Node's code where `net` has one for the event, such as `ECONNRESET`; otherwise the same as `multipathCode`. */
  readonly code: string
  /** What happened, in the terms of this package. */
  readonly multipathCode: ErrorCode
  /** Number of the error in the system. */
  declare readonly errno?: number
  /** System call that failed, such as `connect`. */
  declare readonly syscall?: string
  /** Name that was looked up. */
  declare readonly hostname?: string
  /** Address that was dialled. */
  declare readonly address?: string
  /** Port that was dialled. */
  declare readonly port?: number

  /** @param netCode - what net says of it */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions, netCode?: string) {
    super(message, options)
    this.name = new.target.name
    this.multipathCode = code
    const known = netCode ?? NET_CODES[code]
    const cause = known === undefined ? undefined : systemCodeOf(options?.cause)
    this.code = cause ?? known ?? code
    if (cause !== undefined) Object.assign(this, detailOf(options?.cause))
  }
}

/** The code of an error of the system, or the one that stands for an error of ours on a path. */
function systemCodeOf(error: unknown): string | undefined {
  if (error instanceof MultipathError && error.code === error.multipathCode)
    return PATH_CODES[error.multipathCode]
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' && /^E(?!RR_)[A-Z\d_]+$/.test(code) ? code : undefined
}

function detailOf(error: unknown): SystemDetail {
  const { errno, syscall, hostname, address, port } = error as SystemDetail
  return {
    ...(errno !== undefined && { errno }),
    ...(syscall !== undefined && { syscall }),
    ...(hostname !== undefined && { hostname }),
    ...(address !== undefined && { address }),
    ...(port !== undefined && { port }),
  }
}

/** An option or an argument has an invalid value, or an unknown name. Nothing was started. */
export class OptionError extends MultipathError {
  /** @param netCode - what net says of a value of that kind, where it takes the same argument */
  constructor(message: string, netCode?: string) {
    super('ERR_MULTIPATH_OPTION', message, undefined, netCode)
  }
}

/** The peer violated the wire format. This closes the subflow that carried the bytes, never the connection. */
export class RemoteProtocolError extends MultipathError {
  constructor(message: string, code: ErrorCode = 'ERR_MULTIPATH_FRAME') {
    super(code, message)
  }
}

/** The peer reset the connection. */
export class ResetError extends MultipathError {
  /** The reason that the peer gave, up to 128 bytes, with control characters escaped. */
  readonly reason: string | undefined

  constructor(reason: string | undefined) {
    const why = reason === undefined ? '' : `: ${reason}`
    super('ERR_MULTIPATH_RESET', `the peer reset the connection${why}`)
    this.reason = reason
  }
}

/** No subflow came back to a suspended connection in time, or none can come back any more. */
export class HoldError extends MultipathError {
  /** Bytes that were written and not acked. Some of them may have arrived. */
  readonly unackedBytes: number

  /** @param why - it is held no longer */
  constructor(why: string, unackedBytes: number, options?: ErrorOptions) {
    super('ERR_MULTIPATH_HOLD', `${why}, with ${unackedBytes} bytes unacked`, options)
    this.unackedBytes = unackedBytes
  }
}

/** One path's part in a failed dial. */
export interface PathFailure {
  /** Label of the path. */
  readonly label: string
  /** Why its attempt failed. */
  readonly error: Error
}

/**
 * No path reached the peer. `failures` has the error of each path, and `cause` the reason if there was no path at all. If
 * all paths failed with the same code, such as ECONNREFUSED, `code` is that code, and `errno`, `syscall`, `hostname`,
 * `address` and `port` are those of the first path. Go: ErrFailOnAllDialers.
 */
export class DialError extends MultipathError {
  /** One entry for each path that was tried. */
  readonly failures: readonly PathFailure[]

  /** @param cause - why no path is known, where there was none to fail */
  constructor(destination: string, failures: readonly PathFailure[], cause?: Error) {
    const causes = failures.map(({ label, error }) => `${label}: ${textOf(error)}`)
    const why = cause === undefined ? causes.join('; ') : textOf(cause)
    const errors = cause === undefined ? failures.map(({ error }) => error) : [cause]
    const alike = commonCodeOf(errors)
    super(
      'ERR_MULTIPATH_FAIL_ON_ALL_DIALERS',
      `no path to ${destination}: ${why}`,
      { cause: cause ?? new AggregateError(errors, 'every path failed') },
      alike,
    )
    if (alike !== undefined) Object.assign(this, detailOf(errors[0]))
    this.failures = failures
  }
}

/** The code that all of `errors` have, if any: of the system, or Node's own. */
function commonCodeOf(errors: readonly Error[]): string | undefined {
  const codes = new Set(errors.map((error) => systemCodeOf(error) ?? nodeCodeOf(error)))
  const [code] = codes
  return codes.size === 1 ? code : undefined
}

function nodeCodeOf(error: Error): string | undefined {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && !code.startsWith('ERR_MULTIPATH_') ? code : undefined
}

function textOf(error: Error): string {
  return error.message || String(error)
}

/** Any thrown value as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

/**
 * What a peer is told of the error that a connection is destroyed with: its message; where it has a code, that alone. The
 * messages of the system name files and addresses, which are nothing to a peer.
 *
 * @internal
 */
export function toldReason(error: Error | null): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : error?.message
}
