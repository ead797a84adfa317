// SPDX-License-Identifier: Apache-2.0
/** `multipath run`: a program whose connections pass through `multipath serve`, whatever it is. */
import { Command, Option } from 'commander'
import type { CliIo } from '../cli-io.js'
import type { Subcommand } from '../command-line.js'
import type { HostPort } from '../parse.js'
import { collect } from '../streams/common-options.js'
import type { ClientFlags } from '../streams/dial-session.js'
import { CLIENT_OPTIONS, PATH_SYNTAX } from '../streams/dial-session.js'
import { parseRemoteBind } from '../streams/parse-places.js'
import { runProgram } from './run-program.js'

interface RunFlags extends ClientFlags {
  readonly publish?: readonly HostPort[]
}

function runCommand(io: CliIo): Command {
  const command = new Command('run')
    .summary('run a program whose connections pass through multipath serve')
    .description(DESCRIPTION)
    .usage('[options] --to HOST:PORT... -- PROGRAM [ARGUMENTS...]')
    .argument('<program>')
    .argument('[arguments...]')
    // Options behind the program are its own.
    .passThroughOptions()
  for (const option of OPTIONS()) command.addOption(option)
  return command.action(async (program: string, words: readonly string[], flags: RunFlags) => {
    const { publish = [] } = flags
    const exitCode = await runProgram({ program: [program, ...words], publish }, flags, io)
    // The command must not wait for sockets of silent paths.
    io.exit(exitCode)
  })
}

const DESCRIPTION = [
  'Runs a program in a network namespace of its own (Linux, without root). All TCP connections of the program pass through one connection over several paths to multipath serve, whose --allow and --allow-socks decide which targets can be reached. The program needs no settings and no support for proxies. It needs the packages iproute2, nftables and util-linux.',
  'serve looks up names: inside the namespace, each name has an address in 198.18.0.0/15 that represents it. UDP packets pass if serve allows their target, and are dropped otherwise. Ping is refused. Loopback belongs to the namespace; --publish opens a port of the program on this machine.',
  'The program gets the terminal, the standard streams and the signals. The command ends with the exit code of the program. Warnings go to standard error. With --verbose or --json, other events are reported as well. The terminal belongs to the program: multipath monitor and multipath ctl, in another terminal, show and steer the paths.',
  PATH_SYNTAX,
].join('\n\n')

const RUN_EXAMPLES: readonly string[] = [
  'multipath run --to gw:7000 --to gw:7001 -- curl https://example.org/',
  'multipath run --to gw:7000 --all-interfaces -- git clone https://example.org/repository.git',
  'multipath run --to gw:7000 -- bash                       # a shell: all that is started in it',
  'multipath run --to gw:7000 --publish 3000 -- npm start   # its port 3000 is on 127.0.0.1:3000 here as well',
]

const OPTIONS = (): Option[] => [
  new Option(
    '--publish <[bind:]port>',
    'open this port of the program here as well, on loopback unless BIND is given; may be repeated',
  ).argParser(collect(parseRemoteBind)),
  ...CLIENT_OPTIONS([]),
]

export const RUN: Subcommand = { build: runCommand, examples: RUN_EXAMPLES }
