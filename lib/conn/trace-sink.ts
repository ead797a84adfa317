// SPDX-License-Identifier: Apache-2.0
/** Where the lines of a trace go: one sink for each file and each function, however many connections share it. */
import { resolve } from 'node:path'
import type { Millis } from '../clock.js'
import { OptionError, toError } from '../errors.js'
import type { TraceOutput } from './trace-file.js'
import { TraceFile } from './trace-file.js'

/** A file to which lines of JSON are appended, or a function that gets each line. */
export type TraceTarget = string | ((line: string) => void)

/** What a connection needs for its trace. */
export interface TraceInit {
  readonly sink: TraceSink
  readonly side: 'dialer' | 'listener'
}

/** Never throws: a trace that fails leaves its connection as it is. */
export class TraceSink {
  /** Traces of connections that are not over: they may have something left to tell when the process exits. */
  readonly live: Set<{ close(): void }> = new Set()
  readonly #output: TraceOutput
  #isBroken = false
  #beganAt: Millis | undefined

  constructor(output: TraceOutput) {
    this.#output = output
  }

  /** It failed: nothing is written any more. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Milliseconds since the first line, in tenths. */
  timeOf(at: Millis): number {
    this.#beganAt ??= at
    return Math.round((at - this.#beganAt) * 10) / 10
  }

  write(line: string): void {
    this.#attempt(() => {
      this.#output.write(line)
    })
  }

  flush(): void {
    this.#attempt(() => {
      this.#output.flush()
    })
  }

  #attempt(work: () => void): void {
    if (this.#isBroken) return
    try {
      work()
    } catch (error) {
      this.#isBroken = true
      const { message } = toError(error)
      process.emitWarning(`the trace stops: ${this.#output.name} failed: ${message}`, {
        code: 'MULTIPATH_TRACE',
      })
    }
  }
}

const files = new Map<string, TraceSink>()
const functions = new WeakMap<(line: string) => void, TraceSink>()

/** The option, or else the file that MULTIPATH_TRACE names; `%p` in it is the process. `undefined`: no trace. */
export function traceOf(target: TraceTarget | undefined, side: TraceInit['side']): TraceInit | undefined {
  const chosen = target ?? process.env['MULTIPATH_TRACE']?.replaceAll('%p', String(process.pid))
  if (chosen === undefined || chosen === '') return undefined
  return { sink: sinkOf(chosen), side }
}

export function sinkOf(target: TraceTarget): TraceSink {
  return typeof target === 'string' ? fileSink(resolve(target)) : functionSink(target)
}

/** @throws {OptionError} for what is neither a file nor a function */
export function checkTrace(value: unknown): void {
  if (value === undefined || typeof value === 'function') return
  if (typeof value === 'string' && value !== '') return
  const got = typeof value === 'string' ? 'an empty string' : typeof value
  throw new OptionError(`trace must be the name of a file or a function, got ${got}`)
}

function fileSink(path: string): TraceSink {
  const known = files.get(path)
  if (known !== undefined) return known
  if (files.size === 0) process.once('exit', closeAll)
  const sink = new TraceSink(new TraceFile(path))
  files.set(path, sink)
  return sink
}

function functionSink(write: (line: string) => void): TraceSink {
  const known = functions.get(write)
  if (known !== undefined) return known
  const sink = new TraceSink({ name: 'its function', write, flush: () => {} })
  functions.set(write, sink)
  return sink
}

function closeAll(): void {
  for (const sink of files.values()) {
    for (const trace of sink.live) trace.close()
    sink.flush()
  }
}
