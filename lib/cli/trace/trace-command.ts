// SPDX-License-Identifier: Apache-2.0
/** `multipath trace`: draws what the option `trace`, or MULTIPATH_TRACE, has written. */
import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { Command, Option } from 'commander'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { EXIT_USAGE } from '../exit-codes.js'
import { parseCount } from '../parse.js'
import { chart } from './chart.js'
import type { ReadTrace, TracedConnection } from './read-trace.js'
import { readTrace } from './read-trace.js'

/** More than any trace holds. */
const MOST_CONNECTIONS = 1_000_000

interface TraceFlags {
  readonly output?: string
  readonly connection?: number
}

export function traceCommand(io: CliIo): Command {
  return new Command('trace')
    .summary('draw a trace of a connection')
    .description(DESCRIPTION)
    .argument('<FILE>', 'trace file, written by MULTIPATH_TRACE or the option trace')
    .addOption(new Option('-o, --output <file>', 'write the drawing to this file instead of standard output'))
    .addOption(
      new Option(
        '-c, --connection <n>',
        'draw the connection with number n, in order of opening (default: 1)',
      ).argParser(parseCount(MOST_CONNECTIONS)),
    )
    .action(async (file: string, flags: TraceFlags) => {
      await runTrace(file, flags, io)
    })
}

const DESCRIPTION = [
  'Draws a trace of one connection as an SVG. The charts show, over time, the rate of each path, the bytes in flight and the window, the round-trip times, and the progress of acks and reads. Thin lines mark where a path became suspect or closed, and where a scheduler or a policy changed.',
  'A program that uses multipath-net writes a trace of its connections to the file in the environment variable MULTIPATH_TRACE. docs/trace.md explains the lines.',
].join('\n\n')

export const TRACE_EXAMPLES: readonly string[] = [
  'MULTIPATH_TRACE=nc.trace multipath nc host:4000 < file  # trace a connection',
  'multipath trace nc.trace > nc.svg                       # draw it',
  'multipath trace server.trace -c 3 -o third.svg          # the third of several connections',
]

async function runTrace(file: string, { output, connection: wanted }: TraceFlags, io: CliIo): Promise<void> {
  const trace = await readFile(file, wanted ?? 1)
  const connection = chosen(file, trace)
  if (wanted === undefined && trace.count > 1)
    io.report(`multipath: drew the first of ${trace.count} connections; choose a different one with -c`)
  const svg = chart(connection)
  try {
    if (output !== undefined) await writeFile(output, svg)
    else await finished(io.output().end(svg), { readable: false })
  } catch (error) {
    const where = output ?? 'standard output'
    throw new CliError(`cannot write to ${where}: ${(error as Error).message}`, { cause: error })
  }
}

/** @throws {CliError} for a file that cannot be read, or is no trace */
async function readFile(file: string, wanted: number): Promise<ReadTrace> {
  try {
    return await readTrace(linesOf(file), wanted)
  } catch (error) {
    if (error instanceof CliError) throw new CliError(`${file}, ${error.message}`, { hint: error.hint })
    throw new CliError(`cannot read ${file}: ${(error as Error).message}`, { cause: error })
  }
}

async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of createReadStream(file, 'utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    yield* lines
  }
  yield rest
}

function chosen(file: string, { connection, count }: ReadTrace): TracedConnection {
  if (connection !== undefined) return connection
  if (count === 0)
    throw new CliError(`${file} contains no connection`, {
      hint: 'check that a connection was opened while the trace was on',
    })
  throw new CliError(`${file} contains only ${count} connection${count === 1 ? '' : 's'}`, {
    exitCode: EXIT_USAGE,
    hint: `choose with -c, from 1 to ${count}`,
  })
}
