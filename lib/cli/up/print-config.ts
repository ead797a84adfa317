// SPDX-License-Identifier: Apache-2.0
/** `--print-config`: the file of `up` that does what a command line does. */
import { resolve } from 'node:path'
import type { Command, Option } from 'commander'
import { CommanderError, Option as CommandOption } from 'commander'
import type { CliIo } from '../cli-io.js'
import { EXIT_OK } from '../exit-codes.js'
import type { Section, Value, Values } from './sections.js'
import { isFile, keyOf, PROCESS_OPTIONS } from './sections.js'

const FLAG = 'printConfig'
/** Words that YAML takes for something else than text. */
const SPECIAL = /^(?:true|false|null|~|yes|no|on|off)$/i
/** Text that needs no quotes outside of brackets. */
const PLAIN = /^[\w./][\w./@=,+:~-]*(?<!:)$/

/** Adds `--print-config` to a command: it checks the other options, prints the file, and runs nothing. */
export function withPrintConfig(command: Command, section: Section, io: CliIo): Command {
  const given = new Map<Option, string[]>()
  const options = [...section.options, ...PROCESS_OPTIONS]
  // The parser has them as they are read; what it makes of them could not be written down.
  for (const option of options)
    command.on(`option:${option.name()}`, (text: string | null | undefined) => {
      given.set(option, [...(given.get(option) ?? []), ...(typeof text === 'string' ? [text] : [])])
    })
  command.addOption(
    new CommandOption('--print-config', 'print these options as a file for multipath up, and exit'),
  )
  command.hook('preAction', (_, acting) => {
    if (acting.getOptionValue(FLAG) !== true) return
    section.prepare(acting.opts(), io.env)
    io.print(configText(section, given))
    // As the parser does for --help.
    throw new CommanderError(EXIT_OK, 'multipath.printConfig', 'the configuration is printed')
  })
  return command
}

function configText(section: Section, given: ReadonlyMap<Option, readonly string[]>): string {
  const own = valuesOf(section.options, given)
  const lines = [`${section.name}:`, ...linesOf(own).map((line) => `  ${line}`)]
  return `${[...lines, ...linesOf(valuesOf(PROCESS_OPTIONS, given))].join('\n')}\n`
}

/** Names of files become absolute: the file may be used from another folder. */
function valuesOf(options: readonly Option[], given: ReadonlyMap<Option, readonly string[]>): Values {
  const values = new Map<string, Value>()
  for (const option of options) {
    const texts = given.get(option)
    if (texts === undefined) continue
    const isSwitch = texts.length === 0
    values.set(
      keyOf(option),
      isSwitch ? !option.negate : isFile(option) ? texts.map((text) => resolve(text)) : texts,
    )
  }
  return values
}

function linesOf(values: Values): string[] {
  return [...values].flatMap(([key, value]) => {
    if (typeof value === 'boolean') return [`${key}: ${value}`]
    if (value.length === 1) return [`${key}: ${scalar(value[0]!)}`]
    return [`${key}:`, ...value.map((text) => `  - ${scalar(text)}`)]
  })
}

/** JSON's strings are those of YAML in quotes. */
function scalar(text: string): string {
  return PLAIN.test(text) && !SPECIAL.test(text) ? text : JSON.stringify(text)
}
