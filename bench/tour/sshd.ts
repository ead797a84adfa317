// SPDX-License-Identifier: Apache-2.0
/** An sshd on the server of the tour, behind `serve`, with keys of its own. */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import type { Program } from '../shared/program.js'
import type { Stage } from './stage.js'

/** Keys and configurations are written once. */
export async function startSshd(stage: Stage): Promise<Program> {
  const [client, server] = [stage.folder('client'), stage.folder('server')]
  if (!existsSync(`${server}/sshd_config`)) await writeFiles(stage, client, server)
  // sshd insists on that folder, which its init script makes.
  if (!existsSync('/run/sshd')) {
    mkdirSync('/run/sshd')
    process.once('exit', () => rmdirSync('/run/sshd'))
  }
  return stage.prop('server', ['/usr/sbin/sshd', '-D', '-e', '-f', `${server}/sshd_config`], /listening/)
}

async function writeFiles(stage: Stage, client: string, server: string): Promise<void> {
  for (const key of [`${client}/id`, `${server}/host`])
    await stage.run('client', `ssh-keygen -q -t ed25519 -N '' -f ${key}`)
  await stage.run('server', `cp ${client}/id.pub authorized_keys`)
  const config = [
    ...['Port 2222', 'ListenAddress 127.0.0.1', `HostKey ${server}/host`, 'PidFile none', 'UsePAM no'],
    ...[
      `AuthorizedKeysFile ${server}/authorized_keys`,
      'StrictModes no',
      'PermitRootLogin prohibit-password',
    ],
  ]
  writeFileSync(`${server}/sshd_config`, `${config.join('\n')}\n`)
  const ssh = ['Host far', 'HostName 127.0.0.1', 'Port 2022', `IdentityFile ${client}/id`, 'BatchMode yes']
  const known = [
    `UserKnownHostsFile ${client}/known_hosts`,
    'StrictHostKeyChecking accept-new',
    'LogLevel ERROR',
  ]
  writeFileSync(`${client}/ssh_config`, `${[...ssh, ...known].join('\n')}\n`)
}
