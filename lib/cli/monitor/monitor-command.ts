// SPDX-License-Identifier: Apache-2.0
/** `multipath monitor`: the paths of a running command, live. */
import { Command, Option } from 'commander'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { CtlClient, findCommand } from '../ctl/ctl-client.js'
import { statusText } from '../ctl/status-text.js'
import type { Status } from '../live/status.js'
import { Monitor, UPDATE_MS } from './monitor.js'
import { styleOf } from './style.js'
import { Terminal } from './terminal.js'

interface MonitorFlags {
  readonly target?: string
}

export function monitorCommand(io: CliIo): Command {
  return new Command('monitor')
    .summary('watch the paths of a running command')
    .description(
      [
        'Shows the sessions, paths and streams of a running forward, socks, serve or nc on the whole terminal, four times a second. Keys pause and resume paths, and change their tiers and the scheduler: ? lists them. The watched command continues when the monitor ends.',
        'If standard output is not a terminal, monitor prints the state once, as multipath status does.',
      ].join('\n\n'),
    )
    .usage('[options]')
    .addOption(
      new Option(
        '-t, --target <name>',
        'the command, by its name, as in forward-1234, or its process ID (default: the only one that runs)',
      ),
    )
    .action(async ({ target }: MonitorFlags) => {
      const client = await CtlClient.connect(await findCommand(target, io.env))
      try {
        if (process.stdout.isTTY && process.stdin.isTTY) await watch(client, io)
        else io.print(statusText((await client.ask({ cmd: 'status' })) as Status))
      } finally {
        client.close()
      }
    })
}

export const MONITOR_EXAMPLES: readonly string[] = [
  'multipath monitor                # the only command that runs',
  'multipath monitor -t serve       # the serve among several',
]

/** Until q, a signal, or the end of the command. */
async function watch(client: CtlClient, io: CliIo): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let isOver = false
    const settle = (error?: Error): void => {
      if (isOver) return
      isOver = true
      clearInterval(timer)
      io.signal.removeEventListener('abort', quit)
      terminal.close()
      if (error === undefined) resolve()
      else reject(error)
    }
    const quit = (): void => settle()
    const monitor: Monitor = new Monitor({
      ask: (request) => client.ask(request),
      style: styleOf(io.env),
      size: () => ({ columns: terminal.columns, rows: terminal.rows }),
      draw: (lines) => terminal.draw(lines),
      onQuit: quit,
    })
    const terminal: Terminal = new Terminal(process.stdin, process.stdout, monitor.press, () =>
      monitor.redraw(),
    )
    const update = (): void =>
      void monitor.update().catch(() => settle(new CliError('the watched command has ended')))
    const timer = setInterval(update, UPDATE_MS)
    client.onClose = () => settle(new CliError('the watched command has ended'))
    io.signal.addEventListener('abort', quit)
    if (io.signal.aborted) quit()
    else update()
  })
}
