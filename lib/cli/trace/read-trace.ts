// SPDX-License-Identifier: Apache-2.0
/** Reads one connection out of a trace, line by line: a trace may be larger than memory. */
import { CliError } from '../cli-error.js'
import type { OpenLine, OtherLine, SampleLine, SubflowLine, TraceLine } from './trace-line.js'
import { parseLine } from './trace-line.js'

export interface TracedConnection {
  readonly begun: OpenLine
  readonly samples: readonly SampleLine[]
  readonly changes: readonly SubflowLine[]
  readonly others: readonly OtherLine[]
  /** The time of its last line. */
  readonly endedAt: number
}

export interface ReadTrace {
  /** `undefined` where there are not so many. */
  readonly connection: TracedConnection | undefined
  /** Connections in the trace. */
  readonly count: number
}

class Collector implements TracedConnection {
  readonly begun: OpenLine
  readonly samples: SampleLine[] = []
  readonly changes: SubflowLine[] = []
  readonly others: OtherLine[] = []
  endedAt: number

  constructor(begun: OpenLine) {
    this.begun = begun
    this.endedAt = begun.t
  }

  add(line: Exclude<TraceLine, OpenLine>): void {
    this.endedAt = Math.max(this.endedAt, line.t)
    if (line.kind === 'sample') this.samples.push(line)
    else if (line.kind === 'subflow') this.changes.push(line)
    else this.others.push(line)
  }
}

/**
 * Reads connection `wanted`, counted from 1 in the order in which they begin.
 *
 * @throws {CliError} `line N: …` for what is no line of a trace
 */
export async function readTrace(lines: AsyncIterable<string>, wanted: number): Promise<ReadTrace> {
  let number = 0
  let count = 0
  let connection: Collector | undefined
  /** By their number in the lines, which a later process uses anew: those that were left out are `undefined`. */
  const open = new Map<number, Collector | undefined>()
  for await (const text of lines) {
    number++
    if (text === '') continue
    const line = parsed(text, number)
    if (line.kind === 'open') {
      const collector = ++count === wanted ? new Collector(line) : undefined
      connection ??= collector
      open.set(line.c, collector)
    } else if (open.has(line.c)) open.get(line.c)?.add(line)
    else throw lineError(number, `connection ${line.c} has no open event: the start of the file is missing`)
  }
  return { connection, count }
}

function parsed(text: string, number: number): TraceLine {
  try {
    return parseLine(text)
  } catch (error) {
    throw lineError(number, (error as Error).message, error)
  }
}

function lineError(number: number, what: string, cause?: unknown): CliError {
  return new CliError(`line ${number}: ${what}`, {
    cause,
    hint: 'check that the file is a trace of multipath-net',
  })
}
