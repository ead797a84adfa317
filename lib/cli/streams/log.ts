// SPDX-License-Identifier: Apache-2.0
/** Lines of diagnostics of a command that runs for long: text, or with --json an object a line. */
import type { EventName } from '../live/event-schema.js'
import { CliError, oneLine } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import type { Fields, Level } from '../json-line.js'
import { failedLine, jsonLine } from '../json-line.js'

export interface LogOptions {
  readonly isJson: boolean
  /** Otherwise `detail` says nothing. */
  readonly isVerbose: boolean
  /** Nothing is written but what ends the command. Default: false. */
  readonly isQuiet?: boolean
  /** As text, without `isVerbose`, warnings alone are written: a program has the same terminal. Default: false. */
  readonly isTerse?: boolean
  /** Of which part it tells, where `up` runs several. */
  readonly part?: string | undefined
}

/** Lines of one event that are written within a time; those beyond are counted: strangers can cause any number. */
const MOST_LINES = 20
const SUM_UP_MS = 10_000

/** Of one event, since its first line. */
interface Tally {
  readonly timer: NodeJS.Timeout
  lines: number
  /** Says all that was left out. */
  sum: () => void
}

/** Every line has an `event`, for programs, and a message, for people. */
export class Log {
  readonly #io: CliIo
  readonly #options: LogOptions
  readonly #listeners = new Set<(line: string) => void>()
  #write: (line: string) => void
  readonly #tallies = new Map<EventName, Tally>()
  /** What writes its lines. */
  readonly #whole: Log

  /** @param whole - of which it is a part */
  constructor(io: CliIo, options: LogOptions, whole?: Log) {
    this.#io = io
    this.#options = options
    this.#write = (line) => io.report(line)
    this.#whole = whole ?? this
  }

  /** Its lines appear among those of this log, and name the part. */
  ofPart(part: string): Log {
    const { part: above } = this.#options
    return new Log(
      this.#io,
      { ...this.#options, part: above === undefined ? part : `${above} ${part}` },
      this.#whole,
    )
  }

  /** Each line, in JSON, whatever is written. @returns what ends that */
  subscribe(listener: (line: string) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Its lines go there instead, while something else has the terminal. @returns what ends that */
  divert(write: (line: string) => void): () => void {
    const before = this.#write
    this.#write = write
    return () => {
      this.#write = before
    }
  }

  get isJson(): boolean {
    return this.#options.isJson
  }

  get isVerbose(): boolean {
    return this.#options.isVerbose
  }

  info(event: EventName, message: string, fields?: Fields): void {
    this.#count('info', event, message, fields)
  }

  warn(event: EventName, message: string, fields?: Fields): void {
    this.#count('warn', event, message, fields)
  }

  /** One line, and later one that tells how many more were left out: what strangers cause all the time. */
  warnOnce(event: EventName, message: string, fields?: Fields): void {
    this.#count('warn', event, message, fields, 1)
  }

  /** Only with --verbose. */
  detail(event: EventName, message: string, fields?: Fields): void {
    if (this.#options.isVerbose) this.#line('debug', event, message, fields)
  }

  /** Nothing more will come: says what was left out. */
  close(): void {
    for (const event of [...this.#tallies.keys()]) this.#sumUp(event)
  }

  /** The error that ends the command, for it to throw: as JSON it has been reported then. */
  final(error: unknown): CliError {
    this.close()
    const known = this.#named(
      error instanceof CliError ? error : new CliError((error as Error).message, { cause: error }),
    )
    if (!this.#options.isJson) return known
    this.#io.report(failedLine(oneLine(known), known.exitCode))
    const { message, exitCode, hint } = known
    return new CliError(message, { exitCode, hint, cause: known, isReported: true })
  }

  #named(error: CliError): CliError {
    const { part } = this.#options
    if (part === undefined) return error
    const { message, exitCode, hint } = error
    return new CliError(`${part}: ${message}`, { exitCode, hint, cause: error })
  }

  #count(level: Level, event: EventName, message: string, fields?: Fields, mostLines = MOST_LINES): void {
    const tally = this.#tallies.get(event) ?? this.#begin(event)
    if (++tally.lines <= mostLines) {
      this.#line(level, event, message, fields)
      return
    }
    const leftOut = tally.lines - mostLines
    tally.sum = () => {
      const times = leftOut === 1 ? 'one similar line was' : `${leftOut} similar lines were`
      this.#line(level, event, `${message} (${times} left out)`, { ...fields, leftOut })
    }
  }

  #begin(event: EventName): Tally {
    const timer = setTimeout(() => this.#sumUp(event), SUM_UP_MS)
    timer.unref()
    const tally: Tally = { timer, lines: 0, sum: () => {} }
    this.#tallies.set(event, tally)
    return tally
  }

  #sumUp(event: EventName): void {
    const tally = this.#tallies.get(event)
    if (tally === undefined) return
    clearTimeout(tally.timer)
    this.#tallies.delete(event)
    tally.sum()
  }

  #line(level: Level, event: EventName, message: string, fields?: Fields): void {
    const { part } = this.#options
    if (part === undefined) this.#whole.#emit(level, event, message, fields)
    else this.#whole.#emit(level, event, `${part}: ${message}`, { part, ...fields })
  }

  #emit(level: Level, event: EventName, message: string, fields?: Fields): void {
    for (const listener of this.#listeners) listener(jsonLine(level, event, message, fields))
    const { isQuiet, isTerse, isJson, isVerbose } = this.#options
    if (isQuiet === true || (isTerse === true && level === 'info' && !isJson && !isVerbose)) return
    if (!isJson) this.#write(`${timeOfDay(new Date())} multipath: ${message}`)
    else this.#write(jsonLine(level, event, message, fields))
  }
}

/** `14:03:07`, in the time zone of this machine. */
function timeOfDay(now: Date): string {
  return [now.getHours(), now.getMinutes(), now.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':')
}
