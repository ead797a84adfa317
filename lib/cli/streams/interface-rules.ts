// SPDX-License-Identifier: Apache-2.0
/** The value of `--all-interfaces`: which interfaces, and how their paths are used. */
import { InvalidArgumentError } from 'commander'
import type { LocalAddress, PathPolicy } from '../../index.js'
import { parsePolicyEntry } from '../parse-policy.js'

interface Rule {
  readonly test: RegExp
  readonly policy: PathPolicy
}

export interface InterfaceRules {
  /** Empty: every interface that is not virtual. */
  readonly includes: readonly Rule[]
  readonly excludes: readonly RegExp[]
}

export const EVERY_INTERFACE: InterfaceRules = { includes: [], excludes: [] }

/** `eth*,wwan*:tier=backup,!docker*`: patterns, each with policies behind colons; `!` excludes. */
export function parseInterfaceRules(text: string): InterfaceRules {
  const includes: Rule[] = []
  const excludes: RegExp[] = []
  for (const entry of text.split(',')) {
    const [pattern = '', ...policies] = entry.replace(/^!/, '').split(':')
    if (!/^[\w.*?-]+$/.test(pattern) || (entry.startsWith('!') && policies.length > 0))
      throw new InvalidArgumentError(
        'It must be patterns of interfaces, such as eth*,wwan*:tier=backup,!docker*.',
      )
    const test = globOf(pattern)
    if (entry.startsWith('!')) excludes.push(test)
    else includes.push({ test, policy: Object.assign({}, ...policies.map(parsePolicyEntry)) as PathPolicy })
  }
  return { includes, excludes }
}

/** Whether paths may start there. */
export function takes(
  { includes, excludes }: InterfaceRules,
  { interfaceName, isVirtual }: LocalAddress,
): boolean {
  if (excludes.some((test) => test.test(interfaceName))) return false
  return includes.length === 0 ? !isVirtual : includes.some(({ test }) => test.test(interfaceName))
}

/** How paths from there are used: as the first pattern says that matches. */
export function policyOf({ includes }: InterfaceRules, interfaceName: string | undefined): PathPolicy {
  return includes.find(({ test }) => interfaceName !== undefined && test.test(interfaceName))?.policy ?? {}
}

function globOf(pattern: string): RegExp {
  const escaped = pattern.replaceAll('.', String.raw`\.`)
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`)
}
