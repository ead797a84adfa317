// SPDX-License-Identifier: Apache-2.0
/** A command line out of subcommands: one way to report errors, one way to exit codes. */
import { Command, CommanderError } from 'commander'
import { CliError, oneLine } from './cli-error.js'
import type { CliIo } from './cli-io.js'
import { EXIT_FAILED, EXIT_MEANINGS, EXIT_OK, EXIT_USAGE } from './exit-codes.js'
import { failedLine } from './json-line.js'
import { versionText } from './package-file.js'

export interface Subcommand {
  /** Its action resolves for exit code 0 and throws a CliError for any other. */
  readonly build: (io: CliIo) => Command
  /** Command lines, each with a comment behind `#`. */
  readonly examples: readonly string[]
  /** Examples of the commands below it, by name. */
  readonly nested?: Readonly<Record<string, readonly string[]>>
}

/** Says why the command line is wrong, or why the command fails. */
type Complain = (message: string, exitCode: number) => void

/** As JSON where that was asked for, even if the parser got no further than something before it. */
function complainer(args: readonly string[], io: CliIo): Complain {
  const end = args.indexOf('--')
  const isJson = (end < 0 ? args : args.slice(0, end)).includes('--json')
  return (message, exitCode) => io.report(isJson ? failedLine(message, exitCode) : `multipath: ${message}`)
}

/** The parser of `subcommands`, in the order of `--help`. */
export function buildCommandLine(
  subcommands: readonly Subcommand[],
  io: CliIo,
  complain: Complain = complainer([], io),
): Command {
  const program = new Command('multipath')
    .description('One connection over many paths, on the command line.')
    .version(versionText(), '-V, --version', 'print the version and the commit')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    // Options behind a subcommand are its own.
    .enablePositionalOptions()
    .addHelpText('after', `\n${exitHelp()}`)
  for (const { build, examples, nested = {} } of subcommands) {
    const command = withHelp(build(io), examples)
    for (const below of command.commands) withHelp(below, nested[below.name()] ?? [])
    program.addCommand(command)
  }
  for (const command of allCommands(program)) reportThrough(io, command, complain)
  return program
}

/** It, and all below it, in the order of their descriptions. */
function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap((below) => allCommands(below))]
}

/** `multipath speed serve` */
export function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`
}

function withHelp(command: Command, examples: readonly string[]): Command {
  return command
    .helpCommand(false)
    .helpOption('-h, --help', 'print help')
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}\n`)
    .addHelpText('after', exitHelp())
}

/** Runs the command line `args` (without node and script). @returns the exit code; never rejects */
export async function runCommandLine(
  subcommands: readonly Subcommand[],
  args: readonly string[],
  io: CliIo,
): Promise<number> {
  const complain = complainer(args, io)
  try {
    await buildCommandLine(subcommands, io, complain).parseAsync(args, { from: 'user' })
    return EXIT_OK
  } catch (error) {
    // The parser has printed its own message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE
    const known = error instanceof CliError ? error : undefined
    const exitCode = known?.exitCode ?? EXIT_FAILED
    if (known?.isReported !== true) complain(oneLine(error), exitCode)
    return exitCode
  }
}

/** Exit codes as a block of help. */
function exitHelp(): string {
  const rows = EXIT_MEANINGS.map(({ code, meaning }) => `  ${code.padEnd(8)} ${meaning}`)
  return ['Exit codes:', ...rows].join('\n')
}

function reportThrough(io: CliIo, command: Command, complain: Complain): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => io.print(text),
    writeErr: (text) => io.report(text.trimEnd()),
    outputError: (text) => {
      const message = oneLine(text.replace(/^error: /, ''))
      complain(`${message} (see: ${fullName(command)} --help)`, EXIT_USAGE)
    },
  })
}
