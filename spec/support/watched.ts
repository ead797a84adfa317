// SPDX-License-Identifier: Apache-2.0
/** A command as those who watch it see it, without the command. */
import { EventEmitter } from 'node:events'
import type { PathStatus, Status } from '../../lib/cli/live/status.js'

const PATH: PathStatus = {
  ...{ label: '', from: null, to: null, transport: 'tcp', state: 'up', isPaused: false, reason: null },
  ...{ downMs: null, tier: 'primary', weight: 1, rttMs: 10, minRttMs: 5, sentBytes: 0, receivedBytes: 0 },
  ...{ resentBytes: 0, inFlightBytes: 0, deliveryBytesPerSecond: 0, maxBytes: null, spentBytes: 0 },
  ...{ maxBytesPerSecond: null, subflows: 1 },
}

/** One session of that name with three paths, which have carried so much. */
export function statusWith(id: string, sentBytes: number): Status {
  const paths = [0, 1, 2].map((n) => ({ ...PATH, label: `path ${n}`, sentBytes: sentBytes / (n + 1) }))
  return {
    ...{ command: 'forward', name: 'forward-1', pid: 1, ageMs: 1000, streams: [], streamCount: 0 },
    sessions: [
      {
        ...{
          id,
          part: null,
          client: null,
          ageMs: 1000,
          sentBytes,
          receivedBytes: 0,
          unackedBytes: 0,
          suspendedMs: null,
        },
        ...{ scheduler: 'lowest-rtt', paths },
      },
    ],
  }
}

/** What is used of a socket. */
export class FakeSocket extends EventEmitter {
  isRead = true
  destroyed = false
  writableLength = 0

  setEncoding(): void {}

  write(text: string): void {
    if (!this.isRead) this.writableLength += text.length
  }

  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
}
