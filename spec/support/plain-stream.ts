// SPDX-License-Identifier: Apache-2.0
/** A stream without multipath, to compare with or to compete with. */
import { ignore } from '../../lib/ignore.js'
import type { Link } from '../../lib/testing/link.js'

const BLOCK = new Uint8Array(65_536)

/** Opens a stream over `line` that always has more to send. @returns the bytes that have arrived so far */
export function plainStream(line: Link): { readonly bytes: number } {
  const [near, far] = line.openRaw()
  const arrived = { bytes: 0 }
  const idle = { onBytes: ignore, onRoom: ignore, onEnd: ignore, onReset: ignore }
  const fill = (): void => {
    while (near.write(BLOCK));
  }
  near.handle({ ...idle, onRoom: fill })
  far.handle({ ...idle, onBytes: (piece) => (arrived.bytes += piece.length) })
  fill()
  return arrived
}
