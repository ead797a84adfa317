// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePorts } from '../support/free-ports.js'
import { PageExamples } from '../support/page-examples.js'

const examples = new PageExamples('events')

/** Names that a declaration gives to the members that stand at its first level. */
function membersOf(file: string, declaration: string): string[] {
  const text = readFileSync(join(import.meta.dirname, '../../lib', file), 'utf8')
  const body = new RegExp(`export (?:interface|type) ${declaration}\\b[^]*?\\n}`).exec(text)![0]
  return [...body.matchAll(/^ {2}(?:readonly )?'?([\w:-]+)'?\??:/gm)].map(([, name]) => name!)
}

describe('the page on events', () => {
  it.each([
    ['conn/attach.ts', 'SubflowChange', 6],
    ['dial/multipath-dialer.ts', 'DialerEvents', 1],
    ['dial/multipath-dialer.ts', 'PathFailureEvent', 4],
    ['listen/listener-events.ts', 'ListenerEvents', 2],
    ['diagnostics.ts', 'DiagnosticsMessages', 7],
  ])('names all of %s %s', (file, declaration, count) => {
    const names = membersOf(file, declaration)
    expect(names).toHaveLength(count)
    for (const name of names) expect(examples.text).toMatch(new RegExp(`\\b${name}\\b`))
  })

  it('names the events of a connection that a Duplex does not have', () => {
    const names = membersOf('conn/conn-events.ts', 'ConnEvents')
    expect(names).toContain('resumed')
    const ofStreams = ['pause', 'resume', 'readable', 'pipe', 'unpipe']
    for (const name of names) if (!ofStreams.includes(name)) expect(examples.text).toContain(`\`${name}\``)
  })

  it('has an example that works and ends', async () => {
    const [port] = await freePorts(1)
    const text = await examples.run('diagnostics', { 7000: port! })
    expect(text).toMatch(/^dialing: multipath dialer to wifi with 1 paths\nconnected\n/)
    expect(text).toContain("[ '6 bytes over wifi' ]\n")
    // Both ends are in one process.
    expect(text.match(/^(wifi|127\.0\.0\.1:\S+) (closed|ended)$/gm)).toHaveLength(2)
  })

  it('has an example of a tracker, which counts what its path carries', async () => {
    const [wifi, lte] = await freePorts(2)
    const text = await examples.run('tracker', { 7000: wifi!, 7001: lte! })
    expect(text).toMatch(/^1000000 bytes sent, 0 sent again\n/)
    expect(text).toMatch(/\n(?:wifi|lte) is closed: \w+\n/)
  })
})
