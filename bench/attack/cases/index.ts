// SPDX-License-Identifier: Apache-2.0
/** Every attack by its name. */
import type { AttackCase } from '../attack-case.js'
import { LISTENER_CASES } from './listener.js'
import { MUX_CASES } from './mux.js'
import { SERVE_CASES } from './serve.js'
import { WEBSOCKET_CASES } from './websocket.js'

export const CASES: Readonly<Record<string, AttackCase>> = {
  ...LISTENER_CASES,
  ...MUX_CASES,
  ...SERVE_CASES,
  ...WEBSOCKET_CASES,
}
