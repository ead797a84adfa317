// SPDX-License-Identifier: Apache-2.0
/** The receiving worker: reads, or echoes, whatever comes. */
import type { Duplex } from 'node:stream'
import { hear, type Took } from './call.js'
import { listen, localAddressOf } from './endpoints.js'
import { Meter } from './meter.js'
import { answer } from './messages.js'
import { memory, say } from './output.js'
import type { WorkerOptions } from './options.js'

export async function serve(options: WorkerOptions, asked: AsyncIterable<string>): Promise<void> {
  const meters: Meter[] = []
  const took: Took[] = []
  const addrs = await listen(options, (conn) => {
    // A connection that ends badly shows in the figures; it must not end the worker.
    conn.on('error', () => {})
    if (options.mode === 'echo') conn.pipe(conn)
    else if (options.mode === 'call') hear(conn, took)
    else if (options.mode === 'messages') answer(conn)
    else sink(conn, options, meters)
  })
  say('listening', { addrs })
  for await (const what of asked) {
    if (what === 'memory') say('memory', { ...memory(), connections: meters.length })
    else say('report', { connections: meters.map((meter) => meter.report()), took })
  }
}

function sink(conn: Duplex, options: WorkerOptions, meters: Meter[]): void {
  const meter = new Meter(localAddressOf(conn), options.count === 1)
  // A dialling bench makes tens of thousands of connections whose meters nobody reads.
  if (options.mode !== 'dials') meters.push(meter)
  conn.on('data', (chunk: Buffer) => meter.add(chunk.length))
}
