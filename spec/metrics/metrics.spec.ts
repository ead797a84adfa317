// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { BatchResult, Meter, Observable } from '../../lib/metrics/index.js'
import { Metrics, metricsText, observeWith } from '../../lib/metrics/index.js'
import { connectedPair } from '../support/pair.js'
import { until } from '../support/turns.js'

const LINE =
  /^[a-z_]+(?:\{[a-z_]+="(?:[^"\\]|\\.)*"(?:,[a-z_]+="(?:[^"\\]|\\.)*")*\})? -?\d+(?:\.\d+)?(?:e[+-]\d+)?$/

describe('the metrics of a program', () => {
  it('tell what a connection, its dialer and its listener do, and forget what has closed', async () => {
    const { near, far, dialer, listener } = await connectedPair({ paths: 2 })
    const metrics = new Metrics().add(near, { side: 'near' }).add(dialer).add(listener, { side: 'far' })
    metrics.add(far, { side: 'far' })
    far.on('error', () => {}).resume()
    near.on('error', () => {}).write(Buffer.alloc(1000))
    await near.flushed()
    const text = metrics.text()
    for (const line of text.trimEnd().split('\n')) if (!line.startsWith('#')) expect(line).toMatch(LINE)
    expect(text).toContain('multipath_connections 2\n')
    expect(text).toMatch(
      /multipath_connection_sent_bytes_total\{side="near",connection="[0-9a-f]{6}"\} 1000\n/,
    )
    expect(text).toMatch(
      /multipath_connection_received_bytes_total\{side="far",connection="[0-9a-f]{6}"\} 1000\n/,
    )
    expect(text.match(/^multipath_path_up\{side="near",connection="\w+",path="[^"]+"\} 1$/gm)).toHaveLength(2)
    expect(text.match(/^multipath_dialer_path_opened_total\{path="[^"]+"\} 1$/gm)).toHaveLength(2)
    expect(text).toContain('multipath_listener_refused_total{side="far"} 0\n')
    near.destroy()
    far.destroy()
    await until(() => metrics.text().includes('multipath_connections 0\n'))
    expect(metrics.text()).not.toContain('multipath_path_up{')
  })

  it('escape what labels hold', () => {
    const samples = [{ labels: { path: 'a"b\\c\nd' }, value: 1 }]
    expect(metricsText([{ name: 'm', help: 'h', type: 'gauge', samples }])).toBe(
      '# HELP m h\n# TYPE m gauge\nm{path="a\\"b\\\\c\\nd"} 1\n',
    )
  })

  it('can be observed by a meter of OpenTelemetry, until that is ended', async () => {
    const { near } = await connectedPair()
    const metrics = new Metrics().add(near)
    const meter = new FakeMeter()
    const end = observeWith(meter, metrics)
    expect(meter.names).toContain('counter multipath.connection_sent_bytes')
    expect(meter.names).toContain('gauge multipath.path_rtt_seconds')
    expect(meter.observed()).toContainEqual(['multipath.connections', 1, {}])
    end()
    expect(meter.observed()).toEqual([])
  })
})

/** What is used of a meter. */
class FakeMeter implements Meter {
  readonly names: string[] = []
  readonly #callbacks = new Set<(result: BatchResult) => void>()

  createObservableGauge(name: string): Observable {
    this.names.push(`gauge ${name}`)
    return { name }
  }

  createObservableCounter(name: string): Observable {
    this.names.push(`counter ${name}`)
    return { name }
  }

  addBatchObservableCallback(callback: (result: BatchResult) => void): void {
    this.#callbacks.add(callback)
  }

  removeBatchObservableCallback(callback: (result: BatchResult) => void): void {
    this.#callbacks.delete(callback)
  }

  observed(): unknown[][] {
    const seen: unknown[][] = []
    const result: BatchResult = {
      observe: ({ name }: { name: string }, value, attributes) => seen.push([name, value, attributes]),
    }
    for (const callback of this.#callbacks) callback(result)
    return seen
  }
}
