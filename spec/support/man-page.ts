// SPDX-License-Identifier: Apache-2.0
/** The manual page multipath(1), made from the parser. */
import type { Command } from 'commander'
import { EXIT_MEANINGS } from '../../lib/cli/exit-codes.js'
import { fullName } from '../../lib/cli/command-line.js'

export function manPage(program: Command, examplesOf: (command: Command) => readonly string[]): string {
  const all = program.commands.flatMap((command) => [command, ...command.commands])
  const sections = all.flatMap((command) => section(command, examplesOf(command)))
  const synopsis = program.commands.flatMap((command) => [
    '.br',
    `.B ${roff(fullName(command))}`,
    roff(command.summary()),
  ])
  return `${[
    '.\\" Generated from the parser of multipath by: npm run docs:cli',
    `.TH MULTIPATH 1 "" "multipath-net ${program.version() ?? ''}" "User Commands"`,
    '.SH NAME',
    'multipath \\- one connection over many paths, on the command line',
    '.SH SYNOPSIS',
    '.B multipath',
    '.I COMMAND',
    '[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...',
    '.SH DESCRIPTION',
    'Each command is described below.',
    ...synopsis,
    '.SH COMMANDS',
    ...sections,
    '.SH EXIT STATUS',
    ...EXIT_MEANINGS.flatMap(({ code, meaning }) => ['.TP', `.B ${roff(code)}`, roff(meaning)]),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, meaning]) => ['.TP', `.B ${name}`, roff(meaning)]),
    '.SH SEE ALSO',
    'The documentation of the package, in its folder docs: cli.md, ctl.md, policies.md, paths.md.',
  ].join('\n')}\n`
}

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['MULTIPATH_TOKEN', 'the secret that both ends know, where no --token-file is given'],
  ['MULTIPATH_SOCKS_LOGIN', 'USER:PASSWORD that the clients of socks must give'],
  ['MULTIPATH_TRACE', 'a file to which traces of all connections are written'],
  ['XDG_RUNTIME_DIR', 'the folder of the control sockets'],
]

function section(command: Command, examples: readonly string[]): string[] {
  const help = command.createHelp()
  return [
    `.SS ${roff(fullName(command))}`,
    ...help
      .commandUsage(command)
      .split('\n')
      .flatMap((line) => ['.br', `.B ${roff(line.trim())}`]),
    ...command
      .description()
      .split('\n\n')
      .flatMap((text) => ['.PP', roff(text)]),
    ...help
      .visibleOptions(command)
      .flatMap((option) => [
        '.TP',
        `.B ${roff(help.optionTerm(option))}`,
        roff(help.optionDescription(option)),
      ]),
    '.PP',
    'Examples:',
    '.PP',
    '.nf',
    ...examples.map((line) => roff(line)),
    '.fi',
  ]
}

/** Text as roff takes it: no line may begin with what would be a request. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('\n', ' ')
    .replace(/^([.'])/, '\\&$1')
    .replaceAll('`', '')
}
