// SPDX-License-Identifier: Apache-2.0
/**
 * Shares by the paths' weights, whatever they could carry: the one that is slowest for its weight sets the pace.
 * A path that is silent or gone gives up its share until it is back.
 */
import type { Scheduler } from '../scheduler.js'

export const weighted: Scheduler = {
  name: 'weighted',
  choose({ subflows, hasRoom }) {
    const due = subflows.reduce<(typeof subflows)[number] | undefined>(
      (least, subflow) => (least === undefined || subflow.served < least.served ? subflow : least),
      undefined,
    )
    return due !== undefined && hasRoom(due) ? due : undefined
  },
}
