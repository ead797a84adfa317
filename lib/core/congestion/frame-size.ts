// SPDX-License-Identifier: Apache-2.0
/** How large the frames of a path are. */
import type { Millis } from '../../clock.js'

/**
 * A frame is about what the path delivers in FRAME_MS, but no more than a kernel sends in one go while it
 * measures its RTT (BBR: four packets), so that acks keep coming then. On fast paths that would be many frames.
 */
const FRAME_MS = 1
const FOUR_PACKETS = 5600
/** On a short path a frame may take as long as acks may come late there, at its rate or at four packets a round trip. */
const SHORT_FRAME_MS = 5
const FAST_FRAME_MS = 0.25
/** On long paths a frame is small beside what is under way anyway. */
const FRAMES_PER_PIPE = 256
export const MIN_FRAME_BYTES: number = 1400

/**
 * @param rate - delivery rate, bytes per millisecond; 0 while unknown
 * @param minRtt - Infinity while unknown
 */
export function frameBytesOf(rate: number, minRtt: Millis): number {
  const frameMs = Math.max(FRAME_MS, SHORT_FRAME_MS - minRtt)
  const probed = FOUR_PACKETS * Math.max(1, SHORT_FRAME_MS / minRtt)
  const short = Math.max(Math.min(rate * frameMs, probed), rate * FAST_FRAME_MS)
  const pipe = minRtt === Infinity ? 0 : rate * minRtt
  return Math.max(MIN_FRAME_BYTES, short, pipe / FRAMES_PER_PIPE)
}
