// SPDX-License-Identifier: Apache-2.0
/** Completions for bash, zsh and fish, made from the parser. */
import type { Command, Option } from 'commander'
import { fullName } from '../../lib/cli/command-line.js'

const NOTE = 'Generated from the parser of multipath by: npm run docs:cli'

/** A command, and all below it; without the program's own name. */
interface Entry {
  readonly name: string
  readonly command: Command
  readonly options: readonly Option[]
}

function entriesOf(program: Command): Entry[] {
  return program.commands.flatMap((command) => [entryOf(command), ...command.commands.map(entryOf)])
}

function entryOf(command: Command): Entry {
  const options = command.createHelp().visibleOptions(command)
  return { name: fullName(command).replace(/^\S+ /, ''), command, options }
}

/** What stands behind an option. */
function valueOf({ required, optional, argChoices, flags }: Option): string[] | 'file' | 'any' | 'none' {
  if (argChoices !== undefined) return argChoices
  if (!required && !optional) return 'none'
  return /<file>/.test(flags) ? 'file' : 'any'
}

function flagsOf(option: Option): string[] {
  return [option.short, option.long].filter((flag) => flag !== undefined)
}

export function bashCompletion(program: Command): string {
  const entries = entriesOf(program)
  const nested = entries.filter(({ name }) => name.includes(' ')).map(({ name }) => name)
  const values = entries.flatMap(({ name, options }) =>
    options.flatMap((option) => {
      const value = valueOf(option)
      if (value === 'none') return []
      const patterns = flagsOf(option).map((flag) => `"${name} ${flag}"`)
      const words =
        value === 'file'
          ? 'compgen -f -- "$cur"'
          : value === 'any'
            ? ':'
            : `compgen -W '${value.join(' ')}' -- "$cur"`
      return [`    ${patterns.join(' | ')}) mapfile -t COMPREPLY < <(${words}); return ;;`]
    }),
  )
  const words = entries.map(({ name, command, options }) => {
    const all = [...command.commands.map((below) => below.name()), ...options.flatMap(flagsOf)]
    return `    '${name}') words='${all.join(' ')}' ;;`
  })
  return `# ${NOTE}
_multipath() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  local command='' words=''
  ((COMP_CWORD > 1)) && command=\${COMP_WORDS[1]}
  ((COMP_CWORD > 2)) && case "$command \${COMP_WORDS[2]}" in
    ${nested.map((name) => `'${name}'`).join(' | ')}) command="$command \${COMP_WORDS[2]}" ;;
  esac
  case "$command $prev" in
${values.join('\n')}
  esac
  case $command in
    '') words='${[...program.commands.map((command) => command.name()), '--help', '--version'].join(' ')}' ;;
${words.join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _multipath multipath
`
}

export function zshCompletion(program: Command): string {
  const entries = entriesOf(program)
  const functions = entries.map(({ name, command, options }) => {
    const lines = options.flatMap((option) => {
      const value = valueOf(option)
      const behind =
        value === 'none'
          ? ''
          : value === 'file'
            ? ':file:_files'
            : `:value:${value === 'any' ? '' : `(${value.join(' ')})`}`
      return flagsOf(option).map((flag) => `'*${flag}[${zshText(option.description)}]${behind}'`)
    })
    const below = command.commands.map((one) => `'1:command:(${one.name()})'`)
    return `_multipath_${name.replaceAll(' ', '_')}() {\n  _arguments \\\n    ${[...lines, ...below, "'*::argument: '"].join(' \\\n    ')}\n}`
  })
  const tops = program.commands.map((command) => `    '${command.name()}:${zshText(command.summary())}'`)
  const nested = entries.filter(({ name }) => name.includes(' ')).map(({ name }) => name)
  const dispatch = nested.map((name) => {
    const [above, below] = name.split(' ')
    return `  if [[ $words[2] == ${above} && $words[3] == ${below} ]]; then words=("\${(@)words[3,-1]}"); (( CURRENT -= 2 )); _multipath_${name.replaceAll(' ', '_')}; return; fi`
  })
  return `#compdef multipath
# ${NOTE}
${functions.join('\n')}
_multipath() {
  local -a commands=(
${tops.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
${dispatch.join('\n')}
  local function="_multipath_$words[2]"
  words=("\${(@)words[2,-1]}"); (( CURRENT -= 1 ))
  (( $+functions[$function] )) && $function
}
_multipath "$@"
`
}

function zshText(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, '\\$&').replaceAll("'", "'\\''")
}

export function fishCompletion(program: Command): string {
  const top = program.commands.map((command) => command.name())
  const lines = [
    `# ${NOTE}`,
    'complete -c multipath -f',
    ...program.commands.map(
      (command) =>
        `complete -c multipath -n __fish_use_subcommand -a ${command.name()} -d ${quoted(command.summary())}`,
    ),
  ]
  for (const { name, command, options } of entriesOf(program)) {
    const words = name.split(' ')
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ')
    // `speed serve` has options of its own, and so has `serve`.
    const others = words.length === 1 ? [...top, ...command.commands.map((one) => one.name())] : []
    const not = others.filter((word) => word !== name && (name === 'serve' || top.indexOf(word) < 0))
    const condition =
      not.length === 0 ? seen : `${seen}; and not __fish_seen_subcommand_from ${not.join(' ')}`
    for (const below of command.commands)
      lines.push(
        `complete -c multipath -n ${quoted(condition)} -a ${below.name()} -d ${quoted(below.summary())}`,
      )
    for (const option of options) {
      const value = valueOf(option)
      const flags = [
        ...(option.short ? [`-s ${option.short.slice(1)}`] : []),
        ...(option.long ? [`-l ${option.long.slice(2)}`] : []),
      ]
      const behind =
        value === 'none'
          ? ''
          : value === 'file'
            ? ' -r -F'
            : value === 'any'
              ? ' -x'
              : ` -x -a ${quoted(value.join(' '))}`
      lines.push(
        `complete -c multipath -n ${quoted(condition)} ${flags.join(' ')}${behind} -d ${quoted(option.description)}`,
      )
    }
  }
  return `${lines.join('\n')}\n`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
