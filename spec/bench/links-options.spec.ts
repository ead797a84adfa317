// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { readOptions } from '../../bench/links/options.js'
import { tempFiles } from '../support/temp-files.js'

const temp = tempFiles()
const scenarios = (...argv: string[]) => readOptions(argv)!.scenarios

describe('the scenarios of bench:links', () => {
  it('are those that are not extra, unless one is named', () => {
    const usual = scenarios().map(({ id }) => id)
    expect(usual).toContain('uneven')
    expect(usual).not.toContain('car')
    expect(scenarios('--only', 'car,uneven').map(({ id }) => id)).toEqual(['uneven', 'car'])
  })

  it('play the recordings that are given, each link the next, and then have another name', () => {
    const files = [temp('one', '1\n'), temp('two', '1\n')] as const
    const [car, ...more] = scenarios('--only', 'car', '--recorded', files.join(','))
    expect(more).toEqual([])
    expect(car!.id).toBe(`car ${files.join('+')}`)
    expect(car!.links).toEqual([
      `recorded=${files[0]},delay=25,queue=256`,
      `recorded=${files[1]},delay=35,queue=512`,
      `recorded=${files[0]},delay=45,queue=256`,
    ])
  })

  it('begin a recording where that is said, and play the upload of a download on its way back', () => {
    const down = temp('lte.down', '1\n')
    const up = temp('lte.up', '1\n')
    const [car] = scenarios('--only', 'car', '--recorded', `${down}@7.5`)
    expect(car!.links[0]).toBe(`up:recorded=${down},down:recorded=${up},offset=7.5,delay=25,queue=256`)
  })

  it('are all those with recordings where some are given and no scenario is named', () => {
    const ids = scenarios('--recorded', temp('one', '1\n')).map(({ id }) => id.split(' ')[0])
    expect(ids).toContain('car')
    expect(ids).toContain('echo-car')
    expect(ids).not.toContain('uneven')
    expect(ids).not.toContain('pauses')
  })

  it('want recordings that exist', () => {
    expect(() => scenarios('--recorded', '/nowhere/at.all')).toThrow('/nowhere/at.all')
  })
})
