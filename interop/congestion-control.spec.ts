// SPDX-License-Identifier: Apache-2.0
/** The congestion control of a socket, where its route names another than the system's. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isModelBasedName } from '../lib/conn/system-kernel.js'
import { ip, whyNoNamespaces } from './support/namespaces.js'

const SETTINGS = '/proc/sys/net/ipv4/tcp_'
const PROGRAM = join(import.meta.dirname, 'support/route-kernel.ts')

const setting = (name: string): string => readFileSync(`${SETTINGS}${name}`, 'latin1').trim()

/** Why it cannot be tried here; `undefined`: it can. */
function whyNot(): string | undefined {
  const missing = whyNoNamespaces()
  if (missing !== undefined) return missing
  const available = setting('available_congestion_control').split(' ')
  if (!available.includes('bbr') || !available.includes('cubic')) return 'the kernel lacks bbr or cubic'
  return isModelBasedName(setting('congestion_control')) ? undefined : 'the default is not bbr'
}

const reason = whyNot()

describe.skipIf(reason !== undefined)(
  `a route with a congestion control of its own${reason ? ` (${reason})` : ''}`,
  () => {
    it.each([
      ['10.99.0.1', 'cubic', false],
      ['10.99.0.1', 'bbr', true],
      ['fd99::1', 'cubic', false],
      ['fd99::1', 'bbr', true],
    ])('is the one below a socket to %s: %s', (address, congestionControl, isModelBased) => {
      const name = `route-${process.pid}`
      ip('netns', 'add', name)
      try {
        ip('-n', name, 'link', 'set', 'lo', 'up')
        ip('-n', name, 'addr', 'add', address, 'dev', 'lo')
        const route = ['local', address, 'dev', 'lo', 'table', 'local']
        ip('-n', name, 'route', 'del', ...route)
        ip('-n', name, 'route', 'add', ...route, 'congctl', congestionControl)
        const args = ['netns', 'exec', name, process.execPath, '--import', 'tsx', PROGRAM, address]
        expect(execFileSync('ip', args).toString()).toBe(`${isModelBased}\n`)
      } finally {
        ip('netns', 'delete', name)
      }
    })
  },
)
