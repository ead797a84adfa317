// SPDX-License-Identifier: Apache-2.0
/** What a part of the tour needs, and clear words where it is not there. */
import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute } from 'node:path'

/** Debian's package of each program. */
const PACKAGES: Readonly<Record<string, string>> = {
  curl: 'curl',
  chromium: 'chromium',
  iperf3: 'iperf3',
  rsync: 'rsync',
  tmux: 'tmux',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  '/usr/sbin/sshd': 'openssh-server',
}

function isThere(program: string): boolean {
  const folders = isAbsolute(program) ? [''] : (process.env['PATH'] ?? '').split(delimiter)
  return folders.some((folder) => {
    try {
      accessSync(folder === '' ? program : `${folder}/${program}`, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Empty where all of them are there. */
export function missingPrograms(programs: readonly string[]): string[] {
  return programs
    .filter((program) => !isThere(program))
    .map((program) => `${program} is not installed (apt-get install ${PACKAGES[program] ?? program})`)
}
