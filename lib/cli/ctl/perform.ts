// SPDX-License-Identifier: Apache-2.0
/** Does what is asked of a running command, from outside or from its own monitor. */
import type { Controlled } from '../live/controlled.js'
import { ACTIONS } from './actions.js'
import type { CtlRequest } from './protocol.js'

/** The result. @throws {Error} with what is wrong */
export function perform(controlled: Controlled, request: CtlRequest): unknown {
  const action = Object.hasOwn(ACTIONS, request.cmd) ? ACTIONS[request.cmd] : undefined
  if (action === undefined)
    throw new Error(`cmd must be one of ${[...Object.keys(ACTIONS), 'events', 'trace'].join(', ')}`)
  return action(controlled, request)
}
