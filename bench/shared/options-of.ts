// SPDX-License-Identifier: Apache-2.0
/** The options of a measurement's command line. */
import { parseArgs, type ParseArgsConfig } from 'node:util'

type Options = NonNullable<ParseArgsConfig['options']>
type ValuesOf<Of extends Options> = ReturnType<typeof parseArgs<{ options: Of }>>['values']

/** Ends the process with a list of the options where it is asked for, and with an error where one does not exist. */
export function optionsOf<Of extends Options>(options: Of): ValuesOf<Of> {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean' } } })
    if ((values as { help?: boolean }).help !== true) return values
    console.log(listOf(options))
  } catch (error) {
    console.error(`${(error as Error).message}\n${listOf(options)}`)
    process.exit(2)
  }
  process.exit(0)
}

function listOf(options: Options): string {
  const lines = Object.entries(options).map(([name, { type, default: usual }]) => {
    const value = type === 'string' ? ' VALUE' : ''
    return `  --${name}${value}${usual === undefined || usual === false ? '' : ` (default ${String(usual)})`}`
  })
  return ['Options:', ...lines].join('\n')
}
