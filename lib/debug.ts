// SPDX-License-Identifier: Apache-2.0
/** NODE_DEBUG=multipath prints what happens to connections and subflows. Free when it is not set. */
import { debuglog } from 'node:util'

export const debug: ReturnType<typeof debuglog> = debuglog('multipath')
