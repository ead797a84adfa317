// SPDX-License-Identifier: Apache-2.0
/**
 * Every block of code in the documents is run by a spec, or stands here with the reason why it cannot be. The fence says by
 * which: `example=` by the spec of its page, `file=` by that of README, `client=` and `server=` with the real clients,
 * `world=` on two machines.
 */
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SCRIPTS } from '../../interop/support/example-scripts.js'
import type { Block } from '../support/blocks.js'
import { blocksOf, PAGES } from '../support/blocks.js'

/** By page and first line. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'CONTRIBUTING.md: npm ci': 'this is CI itself',
  'docs/datagrams.md: [Interface]': 'interop/wireguard.spec.ts takes it where WireGuard can be had',
  "docs/fleet.md: echo 'set server multipath/node1 state drain' | socat - /run/haproxy/admin.sock":
    'needs HAProxy and socat; interop/fleet.spec.ts runs deploy/haproxy without a drain',
  'docs/gateway.md: cd "$(npm root --global)/multipath-net/deploy/systemd"':
    'needs systemd as the first process; spec/deploy verifies its units',
  'docs/gateway.md: multipath socks --to 192.0.2.1:7000@eth0 --to 192.0.2.1:7000@wwan0 --token-file token &':
    'needs sing-box; interop/gateway.spec.ts runs it where that is installed',
  'docs/gateway.md: {': 'the same',
  'docs/operation.md: npm install --global multipath-net':
    'needs systemd as the first process; spec/deploy verifies its units',
  'docs/operation.md: sudo -u multipath XDG_RUNTIME_DIR=/run/multipath-home multipath status':
    'needs the user that the units make',
  'docs/operation.md: docker build --file deploy/container/Containerfile --tag multipath deploy/container':
    'needs a registry of images; spec/deploy builds the same file where there is an engine',
  'docs/operation.md: #!/bin/sh /etc/rc.common': 'needs OpenWrt',
  'docs/operation.md: nssm install multipath "C:\\Program Files\\nodejs\\node.exe" C:\\multipath\\node_modules\\multipath-net\\dist\\cli\\main.js up C:\\multipath\\up.yaml':
    'needs Windows',
  'docs/operation.md: <?xml version="1.0" encoding="UTF-8"?>': 'needs macOS',
}

const nameOf = ({ page, code }: Block): string => `${page}: ${code.split('\n')[0]!.trim()}`

const specOf = (page: string): string =>
  page === 'README.md' ? 'spec/docs/readme.spec.ts' : `spec/docs/${basename(page, '.md')}.spec.ts`

/** Whether a spec of its page names it. */
function isNamed(page: string, name: string): boolean {
  return existsSync(specOf(page)) && readFileSync(specOf(page), 'utf8').includes(name)
}

/** Why it is not run; `undefined`: it is, or it is no code. */
function gap(block: Block): string | undefined {
  const { page, language, tags, code } = block
  if (language === 'text' && Object.keys(tags).length === 0) return undefined
  if (page === 'docs/tour.md')
    return language === 'console' ? undefined : 'npm run tour writes transcripts alone'
  if (nameOf(block) in NOT_RUN) return undefined
  const [kind, value] = Object.entries(tags)[0] ?? ['', '']
  const isRun: Readonly<Record<string, () => boolean>> = {
    world: () => SCRIPTS.has(`${page} ${value}`),
    file: () => isNamed(page, value === 'install' || value === 'nc' ? 'COMMANDS' : `'${value}'`),
    example: () => isNamed(page, page === 'docs/policies.md' ? 'policyExamples()' : `'${value}'`),
    stage: () => isNamed(page, 'policyExamples()'),
    client: () => page === 'docs/integrations.md' && existsSync('interop/clients.spec.ts'),
    server: () => page === 'docs/integrations.md' && existsSync('interop/clients.spec.ts'),
  }
  return isRun[kind]?.() === true ? undefined : `no spec runs ${language} ${JSON.stringify(tags)}: ${code}`
}

describe('a block of code', () => {
  it.each(PAGES)('of %s is run by a spec, or is known to need what no spec has', (page) => {
    expect(blocksOf(page).flatMap((block) => gap(block) ?? [])).toEqual([])
  })

  it('that is not run is there', () => {
    const names = PAGES.flatMap(blocksOf).map(nameOf)
    for (const name of Object.keys(NOT_RUN)) expect(names).toContain(name)
  })
})
