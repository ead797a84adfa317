// SPDX-License-Identifier: Apache-2.0
/** Runs what the file of `up` says, and reads it again at SIGHUP. */
import { CliError, oneLine } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { offerCtl } from '../ctl/offer.js'
import { EXIT_USAGE } from '../exit-codes.js'
import type { ControlledPart } from '../live/controlled.js'
import { Log } from '../streams/log.js'
import { runTogether } from '../streams/run-together.js'
import type { Stage } from '../streams/stage.js'
import { tellReady } from '../streams/tell-ready.js'
import type { Config } from './read-config.js'
import { ConfigError, readConfig } from './read-config.js'
import { Reloader } from './reloader.js'

/**
 * Runs until a signal, or until a part fails.
 *
 * @param isCheck - whether the file is only checked
 * @throws {CliError}
 */
export async function runUp(file: string, isCheck: boolean, io: CliIo): Promise<void> {
  const config = checked(file, io)
  if (!isCheck) await runConfig(file, config, io)
}

/** @throws {CliError} EXIT_USAGE, with the mistakes reported */
function checked(file: string, io: CliIo): Config {
  try {
    return readConfig(file, io.env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const problem of error.problems) io.report(`multipath: ${problem}`)
    throw new CliError(error.message, { exitCode: EXIT_USAGE, isReported: true })
  }
}

async function runConfig(file: string, config: Config, io: CliIo): Promise<void> {
  const { flags, parts } = config
  const log = new Log(io, { isJson: flags.json ?? false, isVerbose: flags.verbose ?? false })
  const shown: ControlledPart[] = []
  const reloader = new Reloader({ file, config, env: io.env, log })
  io.onHangup(() => reloader.reload())
  let closeCtl = (): void => {}
  let errors: readonly Error[]
  try {
    closeCtl = await offerCtl(flags, { command: 'up', log, parts: shown }, io)
    const runs = parts.map(({ name, part }) => (signal: AbortSignal, onReady: () => void) => {
      const stage = partStage({ io, log, signal }, parts.length > 1 ? name : undefined, shown)
      return part.run(stage, onReady)
    })
    const whenReady = (): void => tellReady({ io, log })
    const otherFailed = new CliError('another part has failed')
    errors = await runTogether(runs, { signal: io.signal, whenReady, otherFailed })
  } catch (error) {
    throw log.final(error)
  } finally {
    closeCtl()
    log.close()
  }
  failWith(errors, io)
}

interface Whole {
  readonly io: CliIo
  readonly log: Log
  readonly signal: AbortSignal
}

function partStage({ io, log, signal }: Whole, name: string | undefined, shown: ControlledPart[]): Stage {
  const offer: Stage['offer'] = async (controlled) => {
    const names = [name, controlled.part].filter((one) => one !== undefined)
    const part = { ...controlled, part: names.length === 0 ? undefined : names.join(' ') }
    shown.push(part)
    return () => void shown.splice(shown.indexOf(part), 1)
  }
  return { io, log: name === undefined ? log : log.ofPart(name), signal, offer }
}

/** With the first; the others are reported. */
function failWith([first, ...others]: readonly Error[], io: CliIo): void {
  for (const error of others)
    if (!(error instanceof CliError && error.isReported)) io.report(`multipath: ${oneLine(error)}`)
  if (first !== undefined) throw first
}
