// SPDX-License-Identifier: Apache-2.0
/** The adapter with the real packages of OpenTelemetry, in processes of their own, as its users have it. */
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const run = promisify(execFile)

async function evaluate(code: string, flags: readonly string[] = []): Promise<string> {
  const args = [...flags, '--no-warnings', '--input-type=module', '--eval', code]
  return (await run(process.execPath, args)).stdout
}

const PAIR = `
import { MultipathDialer, createServer, tcpDialer } from 'multipath-net'
import { Metrics, observeWith } from 'multipath-net/metrics'
const server = createServer((far) => far.on('error', () => {}).resume())
await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve))
const path = (label) => tcpDialer({ host: '127.0.0.1', port: server.address().port, label })
const dialer = new MultipathDialer('there', [path('wifi'), path('lte')])
const conn = (await dialer.dial()).on('error', () => {})
const metrics = new Metrics().add(conn, { site: 'home' }).add(dialer)
conn.write(Buffer.alloc(1000))
await conn.flushed()`

const SDK = `
import { metrics as api } from '@opentelemetry/api'
import { AggregationTemporality, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
class Reader extends MetricReader {
  selectAggregationTemporality() { return AggregationTemporality.CUMULATIVE }
  async onForceFlush() {}
  async onShutdown() {}
}
const reader = new Reader()
api.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
const end = observeWith(api.getMeter('multipath-net'), metrics)
const read = async () => {
  const { resourceMetrics, errors } = await reader.collect()
  const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)
  return { errors, points: all.flatMap(({ descriptor, dataPoints }) =>
    dataPoints.map(({ value, attributes }) => [descriptor.name, descriptor.type, value, attributes])) }
}
const send = async () => {
  conn.write(Buffer.alloc(1000))
  await conn.flushed()
  return read()
}
const reads = [await read(), await send()]
end()
reads.push(await send())
process.stdout.write(JSON.stringify({ reads, name: conn.name.replace('…', '') }))
process.exit()`

interface Read {
  readonly errors: readonly unknown[]
  readonly points: readonly (readonly [name: string, type: string, value: number, attributes: object])[]
}

describe('a MeterProvider of OpenTelemetry', () => {
  it('reads the connection and its paths by observable instruments, until that is ended', async () => {
    const { reads, name } = JSON.parse(await evaluate(PAIR + SDK)) as { reads: Read[]; name: string }
    const [{ errors, points }] = reads as [Read]
    expect(errors).toEqual([])
    const of = { site: 'home', connection: name }
    for (const path of ['wifi', 'lte'])
      expect(points).toContainEqual(['multipath.path_paused', 'OBSERVABLE_GAUGE', 0, { ...of, path }])
    expect(points).toContainEqual(['multipath.dialer_path_opened', 'OBSERVABLE_COUNTER', 1, { path: 'wifi' }])
    const sent = reads.map((one) => one.points.find(([what]) => what === 'multipath.connection_sent_bytes'))
    // Of the third, the provider tells what it was told last.
    expect(sent).toEqual([1000, 2000, 2000].map((count) => [...sent[0]!.slice(0, 2), count, of]))
    expect(sent[0]![1]).toBe('OBSERVABLE_COUNTER')
  })

  it('is not needed: multipath-net/metrics loads none of its packages', async () => {
    const refuse = `export const resolve = (specifier, context, next) => {
      if (specifier.includes('opentelemetry')) throw new Error('loaded ' + specifier)
      return next(specifier, context)
    }`
    const url = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`
    const hook = url(`import { register } from 'node:module'; register(${JSON.stringify(url(refuse))})`)
    const end = `\nprocess.stdout.write(metrics.text().slice(0, 6)); process.exit()`
    expect(await evaluate(PAIR + end, ['--import', hook])).toBe('# HELP')
  })

  it('has a Meter that fits the types', async () => {
    mkdirSync('build/opentelemetry', { recursive: true })
    writeFileSync(
      'build/opentelemetry/fits.ts',
      `import { metrics } from '@opentelemetry/api'
       import { Metrics, observeWith } from 'multipath-net/metrics'
       const end: () => void = observeWith(metrics.getMeter('x'), new Metrics())
       end()\n`,
    )
    const flags = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--types',
      'node',
    ]
    const args = [
      'node_modules/typescript/bin/tsc',
      ...flags,
      '--ignoreConfig',
      'build/opentelemetry/fits.ts',
    ]
    const told = await run(process.execPath, args).then(
      () => '',
      (error: unknown) => (error as { readonly stdout: string }).stdout,
    )
    expect(told).toBe('')
  })
})
