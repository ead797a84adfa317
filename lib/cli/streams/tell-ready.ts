// SPDX-License-Identifier: Apache-2.0
/** Readiness, as systemd wants to be told of it. Node has no datagram sockets of Unix: the program `systemd-notify` tells. */
import { spawn } from 'node:child_process'
import type { Stage } from './stage.js'

/** All ports are open. @throws {CliError} EXIT_USAGE for a socket that was handed over and that no option names */
export function tellReady({ io, log }: Pick<Stage, 'io' | 'log'>): void {
  io.sockets().refuseRest()
  if (!io.env['NOTIFY_SOCKET']) return
  const told = spawn('systemd-notify', ['--ready'], { stdio: 'ignore' })
  const failed = (why: string): void =>
    log.warn('notify-failed', `cannot tell the service manager that it is ready: ${why}`)
  told.once('error', (error) => failed(error.message))
  told.once('exit', (code) => {
    if (code !== 0) failed(`systemd-notify has ended with ${code}`)
  })
}
