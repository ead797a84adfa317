// SPDX-License-Identifier: Apache-2.0
/** Loads a session whose other end can be measured: a stream for each direction. */
import type { MultipathConn } from '../../index.js'
import type { MuxSession, MuxStream } from '../../mux/index.js'
import { ignore } from '../../ignore.js'
import { CliError } from '../cli-error.js'
import { ANSWER_BYTES, decodeAnswer, encodeRequest } from '../streams/stream-request.js'
import { takeBytes } from '../streams/take-bytes.js'
import type { Direction, Sample } from './figures.js'
import type { Duration, Limits } from './sampling.js'
import { flood, isTimeOver, sampleUntil } from './sampling.js'

/** `stallMs` is also how long the other end may take to end its side once it is told to. */
export interface SessionLoad extends Limits, Duration {
  readonly onSample?: ((samples: readonly Sample[]) => void) | undefined
}

/** An answer takes a round trip, milliseconds. */
const ANSWER_MS = 5000

/**
 * Ends when the time is over, or `maxBytes` are acknowledged or received; all that is under way has arrived then.
 *
 * @throws {CliError} where the other end refuses; {Error} where it does not end
 */
export async function loadSession(
  conn: MultipathConn,
  session: MuxSession,
  load: SessionLoad,
): Promise<Sample[]> {
  const { direction, forMs, maxBytes, stallMs, onSample } = load
  const seconds = Math.ceil(forMs / 1000)
  const down = direction === 'upload' ? undefined : await openMeasure(session, 'download', seconds)
  const up = direction === 'download' ? undefined : await openBeside(down, session, seconds)
  const ended = [down, up].flatMap((stream) => (stream === undefined ? [] : [endOf(stream)]))
  let received = 0
  down?.on('data', (chunk: Buffer) => (received += chunk.length))
  up?.resume()
  const flooding = up && flood(up, maxBytes)
  const samples = await sampleUntil(
    { conn, received: () => received, onSample },
    (sample) => isTimeOver(sample, load) || Math.max(sample.downBytes, sample.upBytes) >= maxBytes,
  )
  flooding?.stop()
  down?.end()
  up?.end()
  await within(Promise.all(ended), stallMs, conn)
  return samples
}

/** An upload; where there can be none, the download `down` ends as well. */
async function openBeside(
  down: MuxStream | undefined,
  session: MuxSession,
  seconds: number,
): Promise<MuxStream> {
  try {
    return await openMeasure(session, 'upload', seconds)
  } catch (error) {
    down?.destroy()
    throw error
  }
}

async function openMeasure(session: MuxSession, way: Direction, seconds: number): Promise<MuxStream> {
  const stream = session.open({ allowHalfOpen: true })
  stream.on('error', ignore)
  stream.write(encodeRequest({ kind: 'measure', host: way, port: seconds }))
  const answer = decodeAnswer(await takeBytes(stream, ANSWER_BYTES, { timeoutMs: ANSWER_MS }))
  if (answer === 'ok') return stream
  stream.destroy()
  throw new CliError(
    answer === 'limit'
      ? 'the other end is busy with other measurements'
      : 'the other end does not allow measurements',
    { hint: 'use multipath speed serve there, or serve without --no-speed' },
  )
}

function endOf(stream: MuxStream): Promise<void> {
  return new Promise((resolve) => {
    stream.once('end', () => resolve())
    stream.once('close', () => resolve())
  })
}

/** As long as it goes on, and `stallMs` more. @throws {Error} */
async function within(work: Promise<unknown>, stallMs: number, conn: MultipathConn): Promise<void> {
  let moved = -1
  let timer: NodeJS.Timeout | undefined
  const stalled = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      const now = conn.bytesRead + conn.bytesWritten - conn.unflushedBytes
      if (now === moved) reject(new Error('the other end stopped reading'))
      moved = now
    }, stallMs)
  })
  try {
    await Promise.race([work, stalled])
  } finally {
    clearInterval(timer)
  }
}
