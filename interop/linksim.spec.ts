// SPDX-License-Identifier: Apache-2.0
/** What an emulated link does to packets by virtual time. How it carries real ones shows in the benches. */
import { spawnSync } from 'node:child_process'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildGo, LINKSIM } from '../bench/shared/build.js'
import { tempFiles } from '../spec/support/temp-files.js'

const MTU = 1500
const temp = tempFiles()

type Packet = readonly [atMs: number, bytes: number]

function linksim(link: string, packets: readonly Packet[], way = 'up') {
  const input = packets.map((packet) => `${packet.join(' ')}\n`).join('')
  const { stdout, stderr, status } = spawnSync(LINKSIM, ['-link', link, '-dry', way], {
    input,
    encoding: 'utf8',
  })
  return { status, stderr, told: stdout.split('\n').filter(Boolean) }
}

/** When each packet arrives, in milliseconds; `dropped` where the queue had no room. */
function arrivals(link: string, packets: readonly Packet[], way?: string): (number | 'dropped')[] {
  const { status, stderr, told } = linksim(link, packets, way)
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return told.map((word) => (word === 'dropped' ? word : Number(word)))
}

function recording(...lines: (number | string)[]): string {
  return temp('recorded', lines.map((line) => `${line}\n`).join(''))
}

const atOnce = (count: number, bytes = MTU): Packet[] => Array.from({ length: count }, () => [0, bytes])

beforeAll(() => {
  expect(buildGo('linksim', LINKSIM)).toBe(true)
})

describe('a link of a rate', () => {
  it('sends packets one after another, and drops what its queue does not hold', () => {
    expect(arrivals('rate=12,delay=10,queue=3', atOnce(3))).toEqual([11, 12, 'dropped'])
  })

  it('has figures of its own for a direction that is named', () => {
    const link = 'rate=12,delay=10,down:rate=1.2'
    expect(arrivals(link, atOnce(2))).toEqual([11, 12])
    expect(arrivals(link, atOnce(2), 'down')).toEqual([20, 30])
  })
})

describe('a link that plays a recording', () => {
  it('sends 1,500 bytes at each time of the list, and repeats the list with its last time as the period', () => {
    const file = recording(2, 2, 5, 10)
    expect(arrivals(`recorded=${file}`, atOnce(9))).toEqual([2, 2, 5, 10, 12, 12, 15, 20, 22])
  })

  it('adds its delay', () => {
    expect(arrivals(`recorded=${recording(2, 10)},delay=30`, atOnce(2))).toEqual([32, 40])
  })

  it('fits small packets into one opportunity, and sends a packet that is larger over several', () => {
    const file = recording(2, 4, 6)
    expect(arrivals(`recorded=${file}`, atOnce(4, 500))).toEqual([2, 2, 2, 4])
    const inParts: Packet[] = [1400, 200, 1400].map((bytes) => [0, bytes])
    expect(arrivals(`recorded=${file}`, inParts)).toEqual([2, 4, 4])
    expect(
      arrivals(`recorded=${file}`, [
        [0, 1400],
        [0, 200],
        [0, 3000],
      ]),
    ).toEqual([2, 4, 8])
  })

  it('loses the opportunities at which nothing waits, and what is left of one', () => {
    const file = recording(2, 4, 6, 10)
    expect(
      arrivals(`recorded=${file}`, [
        [4, MTU],
        [7, 100],
        [10, 100],
        [11, 100],
      ]),
    ).toEqual([6, 10, 12, 12])
  })

  it('begins where the offset says', () => {
    const file = recording(1000, 2500, 4000)
    expect(arrivals(`recorded=${file},offset=1.5`, atOnce(3))).toEqual([1000, 2500, 3500])
    expect(arrivals(`recorded=${file},offset=4.5`, atOnce(2))).toEqual([500, 2000])
  })

  it('drops what its queue does not hold', () => {
    const file = recording(2, 4)
    const packets: Packet[] = [...atOnce(3), [1, MTU], [2, MTU]]
    expect(arrivals(`recorded=${file},queue=3`, packets)).toEqual([2, 4, 'dropped', 'dropped', 6])
  })

  it('plays a file of its own in each direction', () => {
    const up = temp('way-up', '3\n')
    const down = temp('way-down', '7\n')
    const link = `up:recorded=${up},down:recorded=${down}`
    expect(arrivals(link, atOnce(2))).toEqual([3, 6])
    expect(arrivals(link, atOnce(2), 'down')).toEqual([7, 14])
  })
})

describe('a recording that is none', () => {
  it.each([
    ['a word', ['1', 'two'], 'line 2'],
    ['a fraction', ['1', '2', '2.5'], 'line 3'],
    ['a time before zero', ['-1'], 'line 1'],
    ['an empty line', ['1', '', '2'], 'line 2'],
    ['a time before the one above', ['5', '7', '6'], 'line 3'],
    ['a period of no length', ['0', '0'], 'line 2'],
    ['no line', [], 'no line'],
  ])('is refused, and the line told: %s', (_, lines, told) => {
    const file = recording(...lines)
    const { status, stderr } = linksim(`recorded=${file}`, atOnce(1))
    expect(status).toBe(2)
    expect(stderr).toContain(file)
    expect(stderr).toContain(told)
  })

  it('is refused where there is no such file', () => {
    expect(linksim('recorded=/nowhere/at.all', atOnce(1))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('/nowhere/at.all') as string,
    })
  })
})
