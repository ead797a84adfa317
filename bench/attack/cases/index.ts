// SPDX-License-Identifier: Apache-2.0
/** Every attack by its name. */
import type { AttackCase } from '../attack-case.js'
import { DESCRIPTORS } from './descriptors.js'
import { LISTENER_CASES } from './listener.js'
import { PROXY_RESET } from './proxy-reset.js'
import { REFUSED_JOINS } from './refused-joins.js'
import { UNKNOWN_CIDS_WITH_CONNECTION } from './unknown-cids-with-connection.js'
import { SNIFFED_CONNECTION_ID } from './sniffed-connection-id.js'
import { SUBFLOW_CASES } from './subflows.js'
import { MUX_CASES } from './mux.js'
import { SERVE_CASES } from './serve.js'
import { WEBSOCKET_CASES } from './websocket.js'

export const CASES: Readonly<Record<string, AttackCase>> = {
  ...LISTENER_CASES,
  ...SUBFLOW_CASES,
  ...MUX_CASES,
  ...SERVE_CASES,
  ...WEBSOCKET_CASES,
  'unknown-cids-with-connection': UNKNOWN_CIDS_WITH_CONNECTION,
  'proxy-reset': PROXY_RESET,
  descriptors: DESCRIPTORS,
  'refused-joins': REFUSED_JOINS,
  'sniffed-connection-id': SNIFFED_CONNECTION_ID,
}
