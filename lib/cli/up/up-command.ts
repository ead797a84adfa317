// SPDX-License-Identifier: Apache-2.0
/** `multipath up`: any number of serve, forward, socks and gateway in one process, from one file. */
import { Command, Option } from 'commander'
import type { CliIo } from '../cli-io.js'
import { keyOf, PROCESS_OPTIONS, SECTIONS } from './sections.js'

interface UpFlags {
  readonly check?: true
}

export function upCommand(io: CliIo): Command {
  return new Command('up')
    .summary('run serve, forward, socks and gateway from one file')
    .description(DESCRIPTION)
    .usage('[options] <FILE>')
    .argument('<FILE>', 'the file, in YAML')
    .addOption(new Option('--check', 'check the file, and run nothing'))
    .action(async (file: string, flags: UpFlags) => {
      // eslint-disable-next-line no-restricted-syntax -- the other commands do without a parser of YAML
      const { runUp } = await import('./run-up.js')
      await runUp(file, flags.check ?? false, io)
    })
}

const DESCRIPTION = [
  `Runs any number of serve, forward, socks and gateway in one process. Its file has a key for each of them (${SECTIONS.map(({ name }) => name).join(', ')}), with the options of that command below it, without --. An option that may be repeated takes a list, and a key with several of a kind takes a list of them. The options ${PROCESS_OPTIONS.map(keyOf).join(', ')} are for the whole process, and stand at the top. --print-config of those commands prints the file for a command line.`,
  'The whole file is checked before anything starts. Relative file names in it are relative to its folder. status, ctl and monitor show all sessions together. If one part fails, the others are stopped as by a signal.',
  'On SIGHUP, up reads the file again: paths, local ports, rules, logins and certificates change, and sessions and streams stay open. A file with a mistake changes nothing. Changes of other options are reported, and require a restart.',
].join('\n\n')

export const UP_EXAMPLES: readonly string[] = [
  'multipath forward --to gw:7000 --local 8080=web --print-config > up.yaml',
  'multipath up up.yaml                  # and after a change: kill -HUP PID',
  'multipath up --check up.yaml          # exit code 2, and a line for each mistake',
]
