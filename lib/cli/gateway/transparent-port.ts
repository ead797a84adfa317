// SPDX-License-Identifier: Apache-2.0
/**
 * Sockets that accept connections to any address (IP_TRANSPARENT). Node cannot ask for that: Perl or Python does, and becomes a
 * Node that hands the sockets over.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Server } from 'node:net'
import { CliError, oneLine } from '../cli-error.js'

/** Opens 127.0.0.1 and, where there is IPv6, ::1. Numbers of options are those of linux/in.h and linux/in6.h. */
const PERL = `use Socket;
$^F = 255;
my ($port, @next) = @ARGV;
for ([AF_INET, 0, 19, pack_sockaddr_in($port, INADDR_LOOPBACK)],
     [AF_INET6, 41, 75, pack_sockaddr_in6($port, "\\0" x 15 . "\\1")]) {
  my ($family, $level, $option, $place, $socket) = @$_;
  my $is_done = socket($socket, $family, SOCK_STREAM, 0)
    && setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1)
    && setsockopt($socket, $level, $option, 1) && bind($socket, $place);
  if ($is_done) { push @kept, $socket; push @next, fileno $socket }
  elsif ($family == AF_INET) { die "$!\\n" }
}
exec @next;
`
const PYTHON = `import os, socket, sys
port, *words = sys.argv[1:]
kept = []
for family, host, level, option in ((socket.AF_INET, '127.0.0.1', 0, 19), (socket.AF_INET6, '::1', 41, 75)):
    try:
        one = socket.socket(family, socket.SOCK_STREAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(level, option, 1)
        one.bind((host, int(port)))
        one.set_inheritable(True)
        kept.append(one)
    except OSError as error:
        if family == socket.AF_INET:
            sys.exit(error.strerror)
os.execvp(words[0], words + [str(one.fileno()) for one in kept])
`
const NODE = `const { createServer } = require('node:net')
const fds = process.argv.slice(1)
let left = fds.length
for (const fd of fds) {
  const server = createServer()
  server.listen({ fd: Number(fd) }, () => process.send(fd, server, () => --left === 0 && process.exit()))
}`
const LANGUAGES = [
  ['perl', '-e', PERL],
  ['python3', '-c', PYTHON],
] as const

/** @returns servers that listen at the port of loopback. @throws {CliError} */
export async function transparentServers(port: number): Promise<Server[]> {
  for (const language of LANGUAGES) {
    const servers = await serversBy(language, port)
    if (servers !== undefined) return servers
  }
  throw new CliError('gateway needs perl or python3 to open its port', {
    hint: 'install one of them, or let systemd open the port: see deploy/systemd',
  })
}

/** `undefined`: there is no such program. @throws {CliError} */
async function serversBy(
  [command, flag, source]: readonly [string, string, string],
  port: number,
): Promise<Server[] | undefined> {
  const child = spawn(command, [flag, source, String(port), process.execPath, '-e', NODE], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const servers: Server[] = []
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.on('message', (_, server) => servers.push(server as Server))
  try {
    await once(child, 'close')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  if (servers.length > 0) return servers
  throw new CliError(
    `cannot listen on 127.0.0.1:${port}: ${oneLine({ message: said || 'no reason given' })}`,
    {
      hint: 'check that no other gateway runs, and choose another --port',
    },
  )
}
