// SPDX-License-Identifier: Apache-2.0
/** What an sshd of Debian needs to run with nothing but a folder: a configuration and keys of its own. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export const SSHD = '/usr/sbin/sshd'

export interface SshdFiles {
  readonly config: string
  /** File of the private key that it lets in, of the user who runs it. */
  readonly key: string
}

/** Writes them into `folder`, for a port of `address`. */
export function writeSshdFiles(folder: string, port: number, address = '127.0.0.1'): SshdFiles {
  const keyOf = (name: string): string => {
    const file = path.join(folder, name)
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file])
    return file
  }
  const [host, key] = [keyOf('host'), keyOf('own')]
  const config = path.join(folder, 'config')
  writeFileSync(
    config,
    [
      ...[`Port ${port}`, `ListenAddress ${address}`, `HostKey ${host}`, `AuthorizedKeysFile ${key}.pub`],
      ...['StrictModes no', 'UsePAM no', 'PermitRootLogin yes', 'PasswordAuthentication no', 'PidFile none'],
    ].join('\n'),
  )
  // Where it separates privileges; the service's own start script makes it.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
  return { config, key }
}
