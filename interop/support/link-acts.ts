// SPDX-License-Identifier: Apache-2.0
/** How both links of a machine go, and come back. */
import type { Uplinks } from './uplinks.js'

export const PATHS: readonly number[] = [1, 2]

const onPaths = (act: (path: number) => void): void => {
  for (const path of PATHS) act(path)
}

/** Without a word, or with their addresses: what is done, and what undoes it. */
export const LINK_ACTS: Readonly<
  Record<'silent' | 'addresses', readonly [(uplinks: Uplinks) => void, (uplinks: Uplinks) => void]>
> = {
  silent: [
    (uplinks) => onPaths((path) => uplinks.silence(path)),
    (uplinks) => onPaths((path) => uplinks.restore(path)),
  ],
  addresses: [
    (uplinks) => onPaths((path) => uplinks.removeAddress(path, 2)),
    (uplinks) => onPaths((path) => uplinks.addAddress(path, 2)),
  ],
}
