// SPDX-License-Identifier: Apache-2.0
import { chmodSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { exposures, loadLogins, loadToken } from '../../../lib/cli/streams/secrets.js'
import { tempFiles } from '../../support/temp-files.js'

const write = tempFiles()
const file = (text: string): string => write('secret', text)

const TOKEN = 'a token of some length'

describe('loadToken', () => {
  it('takes a file before the environment, without white space around', () => {
    expect(String(loadToken(file(`  ${TOKEN}\n`), { MULTIPATH_TOKEN: 'x'.repeat(20) }))).toBe(TOKEN)
    expect(String(loadToken(undefined, { MULTIPATH_TOKEN: TOKEN }))).toBe(TOKEN)
  })

  it('takes none where there is none', () => {
    expect(loadToken(undefined, {})).toBeUndefined()
    expect(loadToken(undefined, { MULTIPATH_TOKEN: '' })).toBeUndefined()
  })

  it('refuses what is short, empty or not there', () => {
    expect(() => loadToken(undefined, { MULTIPATH_TOKEN: 'x'.repeat(15) })).toThrow(
      /MULTIPATH_TOKEN is shorter than 16/,
    )
    expect(() => loadToken(file(''), {})).toThrow(/shorter than 16/)
    expect(() => loadToken('/no/such/file', {})).toThrow(/cannot read \/no\/such\/file/)
    expect(() => loadToken(file('x'.repeat(70_000)), {})).toThrow(/larger than 65536/)
  })
})

describe('exposures', () => {
  it('are told of files that the group or others may read, and of no others', () => {
    const path = file(TOKEN)
    const told = (mode: number): string[] => {
      chmodSync(path, mode)
      return exposures([path, undefined, '/no/such/file'])
    }
    expect([told(0o600), told(0o400), told(0o700)]).toEqual([[], [], []])
    expect(told(0o640)).toEqual([`${path} can be read by other users (mode 0640): chmod 600 ${path}`])
    expect(told(0o604)).toHaveLength(1)
  })
})

describe('loadLogins', () => {
  it('checks users and passwords of a file', () => {
    const check = loadLogins(file('# people\nanna:s3:cret\r\nbert:b\n'), {})!
    expect([check('anna', 's3:cret'), check('bert', 'b')]).toEqual([true, true])
    expect([check('anna', 'b'), check('bert', ''), check('anna:s3', 'cret'), check('', '')]).toEqual(
      Array(4).fill(false),
    )
  })

  it('takes them from the environment, or none', () => {
    expect(loadLogins(undefined, { MULTIPATH_SOCKS_LOGIN: 'a:b' })!('a', 'b')).toBe(true)
    expect(loadLogins(undefined, {})).toBeUndefined()
  })

  it.each(['', 'anna', ':x', 'anna:'])('refuses "%s"', (text) => {
    expect(() => loadLogins(file(text), {})).toThrow(/user:password/)
  })
})
