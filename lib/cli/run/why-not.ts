// SPDX-License-Identifier: Apache-2.0
/** Why there can be no namespace here, and what to do about it. */
import { existsSync, readFileSync } from 'node:fs'
import { CliError, oneLine } from '../cli-error.js'

/** Settings that forbid namespaces to ordinary users, and the value that does. */
const SETTINGS: readonly (readonly [name: string, forbids: string])[] = [
  ['kernel.unprivileged_userns_clone', '0'],
  ['kernel.apparmor_restrict_unprivileged_userns', '1'],
  ['user.max_user_namespaces', '0'],
  ['user.max_net_namespaces', '0'],
  ['user.max_mnt_namespaces', '0'],
]
const PACKAGES: readonly (readonly [missing: RegExp, name: string])[] = [
  [/\bunshare\b.*(ENOENT|not found)/, 'util-linux'],
  [/\bip\b.*not found/, 'iproute2'],
  [/\bnft\b.*not found/, 'nftables'],
]
const CONTAINER_FILES = ['/.dockerenv', '/run/.containerenv']
const ALTERNATIVE = 'or use multipath socks'

/** What is known of the machine. */
export interface Machine {
  /** The value of a setting; `undefined`: there is none. */
  readonly setting: (name: string) => string | undefined
  readonly isContainer: boolean
}

/** @param said - by the programs that were to make it */
export function noNamespace(said: string, machine: Machine = thisMachine()): CliError {
  const missing = PACKAGES.find(([pattern]) => pattern.test(said))
  if (missing !== undefined)
    return new CliError('run needs a program that is not here', {
      hint: `install the package ${missing[1]}, ${ALTERNATIVE}`,
    })
  const text = oneLine(new Error(said.trim().replace(/^multipath: /gm, '') || 'no reason was given'))
  return new CliError(`no network namespace can be made: ${text}`, {
    hint: `${remedy(machine)}, ${ALTERNATIVE}`,
  })
}

function remedy({ setting, isContainer }: Machine): string {
  const wrong = SETTINGS.find(([name, forbids]) => setting(name) === forbids)
  if (wrong !== undefined) return `the setting ${wrong.join(' = ')} forbids it: change it with sysctl`
  if (isContainer)
    return 'the container forbids it: give it the capabilities SYS_ADMIN and NET_ADMIN, and a seccomp profile that allows unshare'
  return 'the kernel must support user and network namespaces, and nftables'
}

function thisMachine(): Machine {
  return {
    setting: (name) => {
      try {
        return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'latin1').trim()
      } catch {
        return undefined
      }
    },
    isContainer: CONTAINER_FILES.some((file) => existsSync(file)),
  }
}
