// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { oneLine } from '../../../lib/cli/cli-error.js'
import { noNamespace } from '../../../lib/cli/run/why-not.js'

function why(said: string, settings: Readonly<Record<string, string>> = {}, isContainer = false): string {
  return oneLine(noNamespace(said, { setting: (name) => settings[name], isContainer }))
}

describe('an error as one line', () => {
  it('has neither line breaks nor characters that a terminal takes for commands', () => {
    const blanks = ' '.repeat(10_000)
    expect(oneLine(new Error(`a ${blanks}\n\n ${blanks} b \x1b[2Jc\u009b`))).toBe('a b [2Jc')
  })
})

const FAILED = 'unshare: unshare failed: Operation not permitted\n'

describe('where no namespace can be made, the reason', () => {
  it.each([
    ['kernel.unprivileged_userns_clone', '0', '1'],
    ['kernel.apparmor_restrict_unprivileged_userns', '1', '0'],
    ['user.max_user_namespaces', '0', '100'],
  ])('names the setting %s, and the alternative', (name, forbids, allows) => {
    const text = why(FAILED, { [name]: forbids })
    expect(text).toContain('Operation not permitted')
    expect(text).toContain(`${name} = ${forbids}`)
    expect(text).toContain('or use multipath socks')
    expect(why(FAILED, { [name]: allows })).not.toContain(name)
  })

  it('names a container', () => {
    expect(why(FAILED, {}, true)).toContain('SYS_ADMIN')
  })

  it.each([
    ['spawn unshare ENOENT', 'util-linux'],
    ['multipath: 4: ip: not found\n', 'iproute2'],
    ['multipath: 6: nft: not found\n', 'nftables'],
  ])('names the package for %j', (said, name) => {
    expect(why(said)).toContain(`install the package ${name}`)
  })

  it('is one line, whatever was said', () => {
    expect(why('first\nsecond\n')).toMatch(/^no network namespace can be made: first second \(/)
    expect(why('')).toContain('no reason was given')
  })
})
