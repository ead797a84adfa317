// SPDX-License-Identifier: Apache-2.0
/** Opens a stream of a path that joins a connection, at a time when a join is of use. */
import type { PeerCloseDetector } from '../conn/peer-close-detector.js'
import type { Duplex } from 'node:stream'
import type { MultipathConn } from '../conn/multipath-conn.js'
import { discard } from '../ignore.js'
import type { DialPath } from './dial-path.js'
import { discardLater } from './dial-path.js'
import type { LastHope } from './last-hope.js'
import type { LastWords } from './last-words.js'

export interface OpeningInit {
  readonly path: DialPath
  readonly conn: MultipathConn
  readonly peerClose: PeerCloseDetector
  readonly hope: LastHope
  readonly lastWords: LastWords
}

/**
 * A stream, at a time when neither the peer is closing nor the connection about to end.
 *
 * @param opening - one that may be opening already
 */
export async function openWhenWanted(
  init: OpeningInit,
  signal: AbortSignal,
  opening: Promise<Duplex> | undefined,
): Promise<Duplex> {
  const { path, conn, hope, peerClose, lastWords } = init
  let opened = opening
  for (;;) {
    if (peerClose.isOn || lastWords.isOn) {
      discardLater(opened)
      opened = undefined
      await lastWords.over(signal)
      await peerClose.over(signal)
    }
    const stream = await (opened ?? hope.hold.open(signal, (either) => path.open(either, conn.refs)))
    opened = undefined
    if (!peerClose.isOn && !lastWords.isOn && !signal.aborted) return stream
    discard(stream)
    signal.throwIfAborted()
  }
}
