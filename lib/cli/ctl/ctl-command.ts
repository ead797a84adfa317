// SPDX-License-Identifier: Apache-2.0
/** `multipath ctl` and `multipath status`: look at a running command and steer it. */
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import type { Status } from '../live/status.js'
import { CtlClient, findCommand, findCommands } from './ctl-client.js'
import type { CtlRequest } from './protocol.js'
import type { SocketPlace } from './socket-place.js'
import { placesIn } from './socket-place.js'
import { statusText } from './status-text.js'

interface TargetFlags {
  readonly target?: string
  readonly json?: true
}

const TARGET = (): Option =>
  new Option(
    '-t, --target <name>',
    'the command, by its name, as in forward-1234, or its process ID (default: the only one that runs)',
  )
const JSON_FLAG = (): Option => new Option('--json', 'print JSON')

export function statusCommand(io: CliIo): Command {
  return new Command('status')
    .summary('show the paths of running commands')
    .description(
      'Prints a table of the sessions and paths of each running forward, socks, serve, nc and up, or of the one that --target names. Only the user who started a command can see its table. --json needs --target if several commands run.',
    )
    .usage('[options]')
    .addOption(TARGET())
    .addOption(JSON_FLAG())
    .action(async (flags: TargetFlags) => {
      if (flags.json) {
        io.print(`${JSON.stringify(await asked(flags, { cmd: 'status' }, io), null, 2)}\n`)
        return
      }
      const places = await findCommands(flags.target, io.env)
      const all = places.map((place) => ask(place, { cmd: 'status' }))
      io.print((await Promise.all(all)).map((status) => statusText(status as Status)).join('\n'))
    })
}

export const STATUS_EXAMPLES: readonly string[] = [
  'multipath status                      # of all commands that run',
  'multipath status -t forward-1234 --json',
]

const CTL_DESCRIPTION = [
  'Steers a running forward, socks, serve or nc through its socket, which only the user who started it can open. docs/ctl.md describes the protocol of the socket.',
  'The actions are: list (the commands that run); status; paths add PATH; paths remove LABEL; paths pause LABEL; paths resume LABEL; paths set LABEL POLICY (tier=, weight=, max-bytes=, max-rate=, separated by commas); scheduler NAME; events (prints each event as a line of JSON); trace on [FILE] (appends a trace of every connection to FILE, or prints it until a signal); trace off; drain (as SIGTERM: open streams may end); and stop (at once).',
].join('\n\n')

export function ctlCommand(io: CliIo): Command {
  return new Command('ctl')
    .summary('steer a running command')
    .description(CTL_DESCRIPTION)
    .usage('[options] ACTION [ARGUMENT...]')
    .argument('<ACTION...>', 'what to do')
    .addOption(TARGET())
    .addOption(JSON_FLAG())
    .action(async (words: readonly string[], flags: TargetFlags, command: Command) => {
      if (words[0] === 'list') {
        await list(flags, io)
        return
      }
      const request = requestOf(words)
      if (request === undefined) command.error(`error: unknown action: ${words.join(' ')}`)
      if (request.cmd === 'events' || request.cmd === 'trace') await follow(flags, request, io)
      else await perform(flags, request, io)
    })
}

export const CTL_EXAMPLES: readonly string[] = [
  'multipath ctl list',
  'multipath ctl paths pause gw:7001@10.64.3.7       # and later: paths resume',
  "multipath ctl paths set gw:7001@10.64.3.7 'tier=backup,max-rate=5Mbit'",
  'multipath ctl paths add gw:7002@wwan0             # a path that is used from now on',
  'multipath ctl scheduler redundant',
  'multipath ctl -t serve events                     # until it is stopped',
  'multipath ctl trace on forward.trace              # and later: trace off; multipath trace draws it',
]

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  status: [],
  drain: [],
  stop: [],
  events: [],
  scheduler: ['name'],
  'trace on': ['file'],
  'trace off': [],
  'paths add': ['path'],
  'paths remove': ['label'],
  'paths pause': ['label'],
  'paths resume': ['label'],
  'paths set': ['label', 'policy'],
}

/** `undefined` for what is no action, or has too many or too few arguments. */
function requestOf(words: readonly string[]): CtlRequest | undefined {
  if (words.join(' ') === 'trace on') return { cmd: 'trace' }
  const length = words[0] === 'paths' || words[0] === 'trace' ? 2 : 1
  const fields = FIELDS[words.slice(0, length).join(' ')]
  const values = words.slice(length)
  if (fields === undefined || fields.length !== values.length) return undefined
  const named = Object.fromEntries(fields.map((field, index) => [field, values[index]]))
  const cmd = words.slice(0, length).join('-')
  // The command has another working directory.
  return cmd === 'trace-on' ? { cmd, file: resolve(values[0]!) } : { cmd, ...named }
}

async function list({ json }: TargetFlags, io: CliIo): Promise<void> {
  const places = await placesIn(io.env)
  if (json) io.print(`${JSON.stringify(places)}\n`)
  else io.print(places.map(({ name }) => `${name}\n`).join(''))
}

async function perform(flags: TargetFlags, request: CtlRequest, io: CliIo): Promise<void> {
  const result = await asked(flags, request, io)
  if (flags.json) io.print(`${JSON.stringify(result)}\n`)
  else if (request.cmd === 'status') io.print(statusText(result as Status))
}

async function asked({ target }: TargetFlags, request: CtlRequest, io: CliIo): Promise<unknown> {
  return ask(await findCommand(target, io.env), request)
}

async function ask(place: SocketPlace, request: CtlRequest): Promise<unknown> {
  const client = await CtlClient.connect(place)
  try {
    return await client.ask(request)
  } finally {
    client.close()
  }
}

/** Ends at a signal, when the command ends, or when the reader of standard output closes it. */
async function follow({ target }: TargetFlags, request: CtlRequest, io: CliIo): Promise<void> {
  const client = await CtlClient.connect(await findCommand(target, io.env))
  const output = io.output()
  let failure: Error | undefined
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') failure = new CliError(`cannot write to standard output: ${error.message}`)
    client.close()
  })
  output.on('drain', () => client.resume())
  client.onEvent = (line) => {
    if (!output.write(`${line}\n`)) client.pause()
  }
  try {
    await client.ask(request)
  } catch (error) {
    client.close()
    throw error
  }
  await new Promise<void>((resolve) => {
    client.onClose = resolve
    io.signal.addEventListener('abort', () => resolve())
    if (io.signal.aborted) resolve()
  })
  client.close()
  if (failure !== undefined) throw failure
}
