// SPDX-License-Identifier: Apache-2.0
/** The real process: its standard streams and signals. */
import { setMaxListeners } from 'node:events'
import { createWriteStream, fstatSync, statSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { constants, devNull } from 'node:os'
import type { Writable } from 'node:stream'
import { isatty } from 'node:tty'
import { CliError } from './cli-error.js'
import type { CliIo, StandardInput } from './cli-io.js'
import { EXIT_FAILED } from './exit-codes.js'
import { ignore } from '../ignore.js'
import { LENT_SIGNALS } from './lent-signals.js'
import type { Namespace } from './run/namespace.js'
import { InheritedSockets } from './streams/inherited-sockets.js'

const STDIN = 0
const STDOUT = 1
const STDERR = 2
/** Written at once, as far as it has come. */
const FILE_BUFFER_BYTES = 1024 * 1024

/** What a program has that uses the terminal and the standard streams. */
interface Loan {
  /** `undefined`: there is no such program. */
  onSignal: ((name: NodeJS.Signals) => void) | undefined
  /** Returns whether it has taken SIGHUP. `undefined`: it ends the command. */
  onHangup: (() => boolean) | undefined
}

/** @param namespace - one that is being made */
export function processIo(namespace: () => Namespace): CliIo {
  const loan: Loan = { onSignal: undefined, onHangup: undefined }
  let sockets: InheritedSockets | undefined
  return {
    input: standardInput,
    output: standardOutput,
    print,
    ...diagnostics(loan),
    stop,
    lend: (onSignal) => {
      loan.onSignal = onSignal
      for (const name of LENT_SIGNALS) process.on(name, () => onSignal(name))
    },
    onHangup: (listener) => {
      const hadTerminal = isatty(STDIN)
      loan.onHangup = () => {
        if (hadTerminal && !isatty(STDIN)) return false
        listener()
        return true
      }
    },
    exit: (code) => process.exit(code),
    sockets: () => (sockets ??= new InheritedSockets(process.env)),
    namespace,
    env: process.env,
    signal: stopSignal(loan),
  }
}

/** Whoever reads the diagnostics may be gone before the connection is. */
const standardError = (): NodeJS.WriteStream => {
  if (process.stderr.listenerCount('error') === 0) process.stderr.on('error', ignore)
  return process.stderr
}

/** Node makes a pipe non-blocking for whoever writes to it, once its stream is used: programs do not expect that. */
function writeAtOnce(text: string): void {
  try {
    writeSync(STDERR, text)
  } catch {
    // It is not read any more.
  }
}

/** On a terminal, the line of progress is always the last one. */
function diagnostics(loan: Loan): Pick<CliIo, 'report' | 'progress'> {
  const write = (text: string): void => {
    if (loan.onSignal === undefined) standardError().write(text)
    else writeAtOnce(text)
  }
  if (!isatty(STDERR)) return { report: (line) => write(`${line}\n`) }
  let shown = ''
  return {
    report: (line) => write(shown === '' ? `${line}\n` : `\r\x1b[K${line}\n${shown}`),
    progress: (line) => {
      const next = line.slice(0, Math.max(1, process.stderr.columns - 1))
      if (next !== shown) write(`\r\x1b[K${next}`)
      shown = next
    },
  }
}

/**
 * Prints help. A pager that the user quits early causes EPIPE, which is not a failure. Any other error, such as that of a
 * full disk, is one.
 */
function print(text: string): void {
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', stdoutOnError)
  process.stdout.write(text)
}

function stdoutOnError(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return
  writeAtOnce(`multipath: cannot write to standard output: ${error.message}\n`)
  process.exit(EXIT_FAILED)
}

function stop(isAtOnce: boolean): void {
  process.emit('SIGTERM')
  if (isAtOnce) process.emit('SIGTERM')
}

/** Unless signals are lent: a signal aborts it once; a second one ends the process at once. SIGHUP: the terminal has gone, or its user. */
function stopSignal(loan: Loan): AbortSignal {
  const controller = new AbortController()
  // Whatever is under way listens to it.
  setMaxListeners(0, controller.signal)
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const exitCode = 128 + constants.signals[name]
    process.on(name, () => {
      if (loan.onSignal !== undefined) return
      if (name === 'SIGHUP' && loan.onHangup?.() === true) return
      if (controller.signal.aborted) process.exit(exitCode)
      controller.abort(new CliError(`stopped by ${name}`, { exitCode }))
    })
  }
  return controller.signal
}

/** @throws {CliError} for a directory, which process.stdin takes for an empty file */
function standardInput(): StandardInput {
  if (isDirectory(STDIN)) throw new CliError('cannot read standard input: it is a directory')
  return {
    stream: process.stdin,
    isNull: isNullDevice(STDIN),
    isTerminal: process.stdin.isTTY,
    sizeBytes: fileSize(STDIN),
  }
}

/**
 * A stream that closes descriptor 1 when it ends, which process.stdout never does: the next program in the
 * pipe has to see the end while the other direction goes on.
 */
function standardOutput(): Writable {
  if (process.stdout.isTTY) return process.stdout
  const stat = fstatSync(STDOUT)
  if (stat.isFIFO() || stat.isSocket()) return new Socket({ fd: STDOUT, readable: false, writable: true })
  return createWriteStream('', { fd: STDOUT, highWaterMark: FILE_BUFFER_BYTES })
}

function fileSize(fd: number): number | undefined {
  try {
    const stat = fstatSync(fd)
    return stat.isFile() ? stat.size : undefined
  } catch {
    return undefined // A closed descriptor.
  }
}

function isDirectory(fd: number): boolean {
  try {
    return fstatSync(fd).isDirectory()
  } catch {
    return false // A closed descriptor.
  }
}

function isNullDevice(fd: number): boolean {
  try {
    const stat = fstatSync(fd)
    return stat.isCharacterDevice() && stat.rdev === statSync(devNull).rdev
  } catch {
    return false // A closed descriptor, or a system that has no such device.
  }
}
