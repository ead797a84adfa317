// SPDX-License-Identifier: Apache-2.0
/** Errors of the library in the words of the command. */
import { DialError, MultipathError } from '../index.js'
import { CliError } from './cli-error.js'

/** Causes beyond these are counted, not listed: one line. */
const CAUSES_LISTED = 3

/** `INPUT` is replaced by the name of what was being sent. */
const EXPLAINED: Partial<Record<string, { readonly message: string; readonly hint?: string }>> = {
  ERR_MULTIPATH_UNACKED: {
    message: 'the connection was lost, or the peer closed it, before all of INPUT was acknowledged',
  },
  ERR_MULTIPATH_CLOSED: { message: 'the peer closed the connection before all of INPUT was sent' },
  ERR_MULTIPATH_INCOMPLETE: {
    message: 'the connection ended too early: the received data may be incomplete',
    hint: 'the peer was stopped, every path failed, or a Go peer closed before all its data was received',
  },
  ERR_MULTIPATH_LINGER: {
    message: 'the peer stopped acknowledging before it had received all of INPUT',
    hint: 'check that the other end reads',
  },
}

/** @param inputName - what was being sent, as in "standard input" */
export function explain(error: unknown, inputName = 'the input'): CliError {
  if (error instanceof CliError) return error
  if (error instanceof DialError)
    return explainDial(error, 'check that `multipath nc -l -p PORT` is running there')
  if (!(error instanceof MultipathError)) return new CliError((error as Error).message, { cause: error })
  const { message, hint } = EXPLAINED[error.multipathCode] ?? { message: error.message }
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return new CliError(message.replace('INPUT', inputName) + cause, { cause: error, hint })
}

/**
 * @param hint - what to do about it
 * @param reasons - of each failure, where more is known than its error says
 */
export function explainDial(
  error: DialError,
  hint: string,
  reasons: readonly (string | undefined)[] = [],
): CliError {
  if (error.failures.length === 0)
    return new CliError(`no path to the peer works: ${(error.cause as Error).message}`, {
      cause: error,
      hint: 'check the name; with -a the system chooses the local addresses',
    })
  const causes = error.failures.map(
    (failure, index) => `${failure.label}: ${reasons[index] ?? failure.error.message}`,
  )
  const listed = causes.slice(0, CAUSES_LISTED).join('; ')
  const more = causes.length > CAUSES_LISTED ? `; and ${causes.length - CAUSES_LISTED} more` : ''
  return new CliError(`no path to the peer works: ${listed}${more}`, {
    cause: error,
    hint,
  })
}
