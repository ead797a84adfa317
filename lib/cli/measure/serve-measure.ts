// SPDX-License-Identifier: Apache-2.0
/** The other end of a measurement: takes what comes, or sends as fast as it goes. */
import type { MuxStream } from '../../mux/index.js'
import { ignore } from '../../ignore.js'
import type { StreamRequest } from '../streams/stream-request.js'
import { answer, refuse } from '../streams/take-request.js'
import { flood } from './sampling.js'

/** Streams of measurements at the same time, of all clients together. */
export const MAX_MEASUREMENTS = 8
/** A download ends after this time even if the client does not end it, seconds. */
const MAX_DOWNLOAD_S = 600

export class MeasureServer {
  readonly #isAllowed: boolean
  #underWay = 0

  /** @param isAllowed - otherwise every request is refused */
  constructor(isAllowed = true) {
    this.#isAllowed = isAllowed
  }

  /** `host` is the direction, as the client sees it, `port` the seconds. Resolves at its end; never rejects. */
  async serve(stream: MuxStream, { host, port: seconds }: StreamRequest): Promise<void> {
    if (!this.#isAllowed || (host !== 'download' && host !== 'upload')) {
      refuse(stream, this.#isAllowed ? 'bad-request' : 'not-allowed')
      return
    }
    if (this.#underWay >= MAX_MEASUREMENTS) {
      refuse(stream, 'limit')
      return
    }
    this.#underWay++
    const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()))
    stream.on('error', ignore)
    answer(stream, 'ok')
    stream.resume()
    if (host === 'download') send(stream, Math.min(seconds, MAX_DOWNLOAD_S))
    else stream.once('end', () => stream.end())
    if (!stream.closed) await closed
    this.#underWay--
  }
}

/** Until the client ends its side. */
function send(stream: MuxStream, seconds: number): void {
  const flooding = flood(stream, Infinity)
  const stop = (): void => {
    clearTimeout(timer)
    flooding.stop()
    stream.end()
  }
  // What is under way when the client has had enough comes later.
  const timer = setTimeout(stop, 2 * 1000 * seconds)
  stream.once('end', stop)
  stream.once('close', () => clearTimeout(timer))
}
