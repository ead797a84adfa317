/** Why a subflow or a connection fails, as errors. */
import { MultipathError } from '../errors.js'

/** Kills a subflow. */
export function silentError(silentMs: number): MultipathError {
  return new MultipathError('ERR_MULTIPATH_SUBFLOW_DEAD', `nothing received for ${Math.round(silentMs)} ms`)
}

/** Kills a subflow. */
export function ackLimitError(): MultipathError {
  return new MultipathError('ERR_MULTIPATH_LIMIT', 'the peer takes up none of our acks')
}

/** Kills the connection. */
export function lingerError(): MultipathError {
  return new MultipathError('ERR_MULTIPATH_LINGER', 'unacked data was left after lingerMs')
}
