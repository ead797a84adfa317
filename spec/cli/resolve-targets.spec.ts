import { describe, expect, it } from 'vitest'
import type { Lookup } from '../../lib/cli/resolve-targets.js'
import { resolveTargets } from '../../lib/cli/resolve-targets.js'

const both: Lookup = async (host, { family }) => {
  if (host !== 'both.example') throw new Error(`getaddrinfo ENOTFOUND ${host}`)
  const all = [
    { address: '2001:db8::1', family: 6 },
    { address: '192.0.2.1', family: 4 },
    { address: '192.0.2.1', family: 4 },
  ]
  return all.filter((one) => family === 0 || one.family === family)
}
const named = (host: string): { host: string; port: number } => ({ host, port: 80 })

describe('resolveTargets', () => {
  it('makes every address of a name a target, once', async () => {
    expect(await resolveTargets([named('both.example')], 0, () => {}, both)).toEqual([
      { address: '2001:db8::1', family: 6, port: 80 },
      { address: '192.0.2.1', family: 4, port: 80 },
    ])
  })

  it('takes addresses as they are, in the order given', async () => {
    const targets = ['::1', '192.0.2.9', 'fe80::1%eth0', '192.0.2.9'].map(named)
    const found = await resolveTargets(targets, 0, () => {}, both)
    expect(found.map(({ address, family }) => [address, family])).toEqual([
      ['::1', 6],
      ['192.0.2.9', 4],
      ['fe80::1%eth0', 6],
      ['192.0.2.9', 4],
    ])
  })

  it('reports what it leaves out while something is left', async () => {
    const lines: string[] = []
    const targets = ['both.example', 'none.example', '::1'].map(named)
    const found = await resolveTargets(targets, 4, (line) => lines.push(line), both)
    expect(found).toEqual([{ address: '192.0.2.1', family: 4, port: 80 }])
    expect(lines).toHaveLength(2)
    expect(lines.join()).toMatch(/none\.example:80: getaddrinfo/)
    expect(lines.join()).toMatch(/\[::1\]:80: is no IPv4 address/)
  })

  it('fails when nothing is left', async () => {
    await expect(resolveTargets([named('none.example')], 0, () => {}, both)).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringContaining('none.example:80') as string,
      hint: 'check the name',
    })
    await expect(resolveTargets([named('192.0.2.1')], 6, () => {}, both)).rejects.toMatchObject({
      hint: 'only IPv6 was asked for',
    })
  })
})
