// SPDX-License-Identifier: Apache-2.0
/** `--monitor`: the monitor of a command within itself. */
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { perform } from '../ctl/perform.js'
import { EXIT_USAGE } from '../exit-codes.js'
import type { Controlled } from '../live/controlled.js'
import { Monitor, UPDATE_MS } from './monitor.js'
import { styleOf } from './style.js'
import { Terminal } from './terminal.js'

/** Lines of the log that are shown once the monitor is over. */
const MOST_LINES = 50

/**
 * Takes the terminal until q, or until what it gives back is called; the command goes on. Ctrl-C ends the command.
 *
 * @throws {CliError} EXIT_USAGE without a terminal
 */
export function showMonitor(controlled: Controlled, io: CliIo): () => void {
  if (!process.stdout.isTTY || !process.stdin.isTTY)
    throw new CliError('--monitor needs a terminal', {
      exitCode: EXIT_USAGE,
      hint: 'use multipath monitor on another one',
    })
  const kept: string[] = []
  const restore = controlled.log.divert((line) => {
    kept.push(line)
    kept.splice(0, kept.length - MOST_LINES)
  })
  const close = (): void => {
    if (!terminal.isOpen) return
    clearInterval(timer)
    terminal.close()
    restore()
    for (const line of kept) io.report(line)
  }
  const monitor: Monitor = new Monitor({
    ask: async (request) => perform(controlled, request),
    style: styleOf(io.env),
    size: () => ({ columns: terminal.columns, rows: terminal.rows }),
    draw: (lines) => terminal.draw(lines),
    onQuit: close,
    onInterrupt: () => {
      close()
      io.stop(false)
    },
  })
  const terminal: Terminal = new Terminal(process.stdin, process.stdout, monitor.press, () =>
    monitor.redraw(),
  )
  const update = (): void => void monitor.update()
  const timer = setInterval(update, UPDATE_MS)
  update()
  return close
}
