// SPDX-License-Identifier: Apache-2.0
/** `--benchmark`: zeros both ways as fast as they go, and a line with the rates each second; or a measurement, where the peer asks for one. */
import type { MultipathConn } from '../index.js'
import { CliError } from './cli-error.js'
import type { CliIo } from './cli-io.js'
import { EXIT_IDLE } from './exit-codes.js'
import { bytes } from './live/units.js'
import { MeasureServer } from './measure/serve-measure.js'
import { serveMeasured, wantsMeasuring } from './measure/serve-measured.js'
import { megabits } from './measure/units.js'
import { ignore } from '../ignore.js'
import type { Opened } from './opened.js'

const ZEROS = Buffer.alloc(256 * 1024)
const SECOND_MS = 1000

/** A peer that wants to measure says so at once: it has so long for its first bytes, milliseconds. */
const FIRST_BYTES_MS = 1000

/**
 * Of the side that listens: a peer that measures is not flooded meanwhile, and may open further connections.
 *
 * @throws {CliError} EXIT_IDLE
 */
export async function benchmarkAsListener(
  { conn, onOther }: Pick<Opened, 'conn' | 'onOther'>,
  options: { idleMs: number },
  io: CliIo,
): Promise<void> {
  if (!(await wantsMeasuring(conn, FIRST_BYTES_MS))) return benchmark(conn, options, io)
  io.report('multipath: the peer measures')
  const measure = new MeasureServer()
  onOther?.((other) => void serveMeasured(other, measure, undefined))
  const stop = (): void => void conn.destroy()
  io.signal.addEventListener('abort', stop)
  if (io.signal.aborted) stop()
  await serveMeasured(conn, measure, undefined)
  io.signal.removeEventListener('abort', stop)
}

/**
 * Goes on until either side closes. What is on its way then is of no interest: whatever ends a connection that
 * stood is a good end. A signal is, too.
 *
 * @throws {CliError} EXIT_IDLE
 */
export async function benchmark(
  conn: MultipathConn,
  { idleMs }: { idleMs: number },
  io: CliIo,
): Promise<void> {
  const startedAt = performance.now()
  const meter = new Meter(conn)
  const timer = setInterval(() => io.report(meter.line()), SECOND_MS)
  const closed = new Promise<void>((resolve) => conn.once('close', () => resolve()))
  const state = { isIdle: false }
  const stop = (): void => {
    meter.note()
    conn.destroy()
  }
  conn.on('error', ignore) // Its close ends the benchmark.
  conn.on('end', stop)
  conn.setTimeout(idleMs, () => {
    state.isIdle = true
    stop()
  })
  io.signal.addEventListener('abort', stop)
  if (io.signal.aborted) stop()
  conn.resume()
  const write = (): void => {
    meter.note()
    while (!conn.destroyed && conn.write(ZEROS));
  }
  conn.on('drain', write)
  write()
  if (!conn.closed) await closed
  clearInterval(timer)
  io.signal.removeEventListener('abort', stop)
  io.report(meter.total((performance.now() - startedAt) / SECOND_MS))
  if (state.isIdle)
    throw new CliError(`no data was transferred for ${idleMs / SECOND_MS} s`, { exitCode: EXIT_IDLE })
}

class Meter {
  readonly #conn: MultipathConn
  #received = 0
  #sent = 0
  #acked = 0
  #at: number = performance.now()

  constructor(conn: MultipathConn) {
    this.#conn = conn
  }

  /** Keeps what has been acknowledged: the connection forgets it when it closes. */
  note(): void {
    if (!this.#conn.destroyed) this.#acked = this.#conn.bytesWritten - this.#conn.unflushedBytes
  }

  /** Rates since the last line. What waits unacked is not sent yet. */
  line(): string {
    this.note()
    const seconds = (performance.now() - this.#at) / SECOND_MS
    const received = this.#conn.bytesRead
    const sent = this.#acked
    const line = `received ${amount(received - this.#received, seconds)}, sent ${amount(sent - this.#sent, seconds)}`
    this.#at = performance.now()
    this.#received = received
    this.#sent = sent
    return line
  }

  total(seconds: number): string {
    return `in ${seconds.toFixed(1)} s: received ${amount(this.#conn.bytesRead, seconds)}, sent ${amount(this.#acked, seconds)}`
  }
}

/** `12.3 MB (98.4 Mbit/s)` */
function amount(count: number, seconds: number): string {
  return `${bytes(count)} (${megabits(count / Math.max(seconds, 0.001))})`
}
