// SPDX-License-Identifier: Apache-2.0
/** Why a subflow or a connection fails, as errors. */
import { MultipathError, ResetError } from '../errors.js'
import type { Reset } from '../wire/end-frames.js'

/** Kills a subflow. */
export function silentError(silentMs: number): MultipathError {
  return new MultipathError('ERR_MULTIPATH_SUBFLOW_DEAD', `nothing received for ${Math.round(silentMs)} ms`)
}

/** Kills a subflow. */
export function ackLimitError(): MultipathError {
  return new MultipathError('ERR_MULTIPATH_LIMIT', 'the peer does not read our acks')
}

/** Kills the connection: a Go peer has lost what it wrote. It can lock itself up over what it resends. Go: conn.go, retransmit. */
export function missingError(fn: number): MultipathError {
  const message = `frame ${fn} is missing, and for missingMs the peer has answered and sent nothing new`
  return new MultipathError('ERR_MULTIPATH_INCOMPLETE', message)
}

/** Kills the connection: its reader may know of an end that was none. @param cause - the violation */
export function falseEndError(cause: Error): MultipathError {
  const message = 'new data came behind the end of the data'
  return new MultipathError('ERR_MULTIPATH_INCOMPLETE', message, { cause })
}

/** Kills the connection: the peer has said that it ended it early. */
export function resetError({ reason }: Reset): MultipathError {
  if (reason === 'ERR_MULTIPATH_AUTH') return authError('the peer could not make sure who we are')
  return new ResetError(reason)
}

/** Kills the connection: the listener's process is another than the one that knew it. */
export function restartedError(): MultipathError {
  return new MultipathError(
    'ERR_MULTIPATH_RESTARTED',
    'the listener has restarted, and knows nothing of the connection',
  )
}

/** Kills the connection: a Go peer, where none is taken, or somebody in between who changed its first bytes. */
export function unwelcomeError(options?: ErrorOptions): MultipathError {
  const message = "the peer did not announce itself as one of ours, and peer is 'ours'"
  return new MultipathError('ERR_MULTIPATH_PEER', message, options)
}

/** Kills the connection: whoever is at the other end may be anybody. */
export function authError(why: string, options?: ErrorOptions): MultipathError {
  return new MultipathError('ERR_MULTIPATH_AUTH', why, options)
}

/** Kills a subflow. */
export function unprovenError(): MultipathError {
  return authError('the peer did not prove itself in time')
}

/** Kills the connection: a user's scheduler broke its word. */
export function schedulerError(what: string, cause?: unknown): MultipathError {
  return new MultipathError('ERR_MULTIPATH_SCHEDULER', `the scheduler failed: ${what}`, { cause })
}

/** @throws ERR_MULTIPATH_SCHEDULER where a user's scheduler throws */
export function asked<Answer>(ask: () => Answer): Answer {
  try {
    return ask()
  } catch (error) {
    throw schedulerError('it threw', error)
  }
}

/** Kills the connection. @param isFlushed - all was acked, but the peer left a gap in what it sent */
export function lingerError(isFlushed: boolean): MultipathError {
  if (isFlushed)
    return new MultipathError(
      'ERR_MULTIPATH_INCOMPLETE',
      'a gap in what was received was left after lingerMs',
    )
  return new MultipathError('ERR_MULTIPATH_LINGER', 'unacked data was left after lingerMs')
}
