// SPDX-License-Identifier: Apache-2.0
/** `multipath speed`: what the paths to a peer deliver, in each direction and in both. */
import { setTimeout as delay } from 'node:timers/promises'
import { Command, Option } from 'commander'
import type { MultipathConn } from '../../index.js'
import { CliError, oneLine } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { idleRtts, IDLE_MS, kindOf, partName, STALL_MS } from '../doctor/observe.js'
import { plan, reachWith } from '../doctor/examine.js'
import { EXIT_FAILED } from '../exit-codes.js'
import { explainDial } from '../explain.js'
import { FaultFinder } from '../live/fault-finder.js'
import { PathBook } from '../live/path-book.js'
import type { AskedPeer } from '../measure/ask-peer.js'
import type { Direction, Sample } from '../measure/figures.js'
import type { Subject } from '../measure/measure.js'
import { closeSubject, measure, partsOf } from '../measure/measure.js'
import type { Limits } from '../measure/sampling.js'
import { megabits } from '../measure/units.js'
import type { PlanInit, PlannedPath } from '../plan-paths.js'
import { familyOf, parseCount, parseSeconds } from '../parse.js'
import { collect, TOKEN_OPTION } from '../streams/common-options.js'
import { PATH_SYNTAX } from '../streams/dial-session.js'
import type { TlsFlags } from '../streams/path-dialers.js'
import { TLS_OPTIONS } from '../streams/path-dialers.js'
import type { PathPlace } from '../streams/path-place.js'
import { parsePathPlace } from '../streams/path-place.js'
import { loadToken } from '../streams/secrets.js'
import { usage } from '../streams/usage.js'
import type { SpeedReport } from './speed-report.js'
import { speedReport, speedText } from './speed-report.js'
import { speedServeCommand } from './speed-serve.js'

const SECONDS = 5
const MIB = 1024 * 1024
const LARGEST_MIB = 1024 * 1024
const ALL: readonly Direction[] = ['download', 'upload', 'both']

interface SpeedFlags extends TlsFlags {
  readonly seconds: number
  readonly maxMib?: number
  readonly autoDetect: boolean
  readonly tokenFile?: string
  readonly json?: true
  readonly ipv4?: true
  readonly ipv6?: true
}

export function speedCommand(io: CliIo): Command {
  const command = new Command('speed')
    // Options of `speed serve` are its own.
    .enablePositionalOptions()
    .summary('measure the rates and round-trip times of paths')
    .description(DESCRIPTION)
    .usage('[options] PATH...\n       multipath speed serve [options] --listen [HOST:]PORT...')
    .argument('[PATH...]', 'a path to the other end', collect(parsePathPlace))
  for (const option of OPTIONS()) command.addOption(option)
  command.action(async (targets: readonly PathPlace[] = [], flags: SpeedFlags) => {
    if (targets.length === 0)
      throw usage('no peer to measure', 'give HOST:PORT, with multipath speed serve at the other end')
    if (flags.seconds === 0) throw usage('--seconds must be more than 0')
    await runSpeed(targets, flags, io)
  })
  return command.addCommand(speedServeCommand(io))
}

const DESCRIPTION = [
  'Measures the download, the upload and both at the same time, on each path alone and on all together, for --seconds each. A direction in which nothing arrives at first gets up to 5 s. It also measures the round-trip times, idle and under load. The report ends with a table and one sentence. Directions are seen from this side.',
  'At the other end, run `multipath speed serve`, or use any `multipath serve` or `multipath nc -l -b`. Other listeners, including those of Go, can be measured in part: one that only reads by uploads, one that only sends by downloads, and an echo server in both directions at once.',
  `Without a source, a path starts from every local address that can reach the other end. ${PATH_SYNTAX}`,
].join('\n\n')

export const SPEED_EXAMPLES: readonly string[] = [
  'multipath speed serve --listen 7000                          # at the other end',
  'multipath speed host:7000                                    # every local address is a path',
  'multipath speed host:7000@eth0,label=dsl host:7000@wwan0     # these two',
  'multipath speed --tls-ca ca.pem --token-file secret host:7000  # the serve of a tunnel',
  'multipath speed --json --seconds 2 host:7000 > speed.json',
]

const OPTIONS = (): Option[] => [
  new Option('-s, --seconds <seconds>', 'time for each measurement')
    .argParser(parseSeconds)
    .default(SECONDS * 1000, `${SECONDS}`),
  new Option(
    '--max-mib <n>',
    'largest transfer of each measurement, each way, in MiB (default: no limit)',
  ).argParser(parseCount(LARGEST_MIB)),
  new Option('-a, --no-auto-detect', 'do not bind to each local address: let the system choose'),
  ...TLS_OPTIONS(),
  TOKEN_OPTION(),
  new Option('--json', 'print one JSON object instead of a table'),
  new Option('-4, --ipv4', 'use IPv4 only'),
  new Option('-6, --ipv6', 'use IPv6 only').conflicts('ipv4'),
]

async function runSpeed(targets: readonly PathPlace[], flags: SpeedFlags, io: CliIo): Promise<void> {
  const limits = { forMs: flags.seconds, maxBytes: (flags.maxMib ?? Infinity) * MIB }
  const init: PlanInit = {
    targets,
    family: familyOf(flags),
    isAutoBound: flags.autoDetect,
  }
  const report = await speedOf(init, flags, limits, io)
  io.print(flags.json ? `${JSON.stringify(report, null, 2)}\n` : speedText(report))
  if (!report.isComplete)
    throw new CliError('not everything could be measured', {
      exitCode: EXIT_FAILED,
      hint: 'the report tells why',
    })
}

/** @throws {CliError}; the reason of `io.signal` */
async function speedOf(init: PlanInit, flags: SpeedFlags, limits: Limits, io: CliIo): Promise<SpeedReport> {
  const book = new PathBook()
  const token = loadToken(flags.tokenFile, io.env)
  const reach = reachWith({ tls: flags, token }, book, io)
  const paths = await plan(init, io)
  const { conn, failures: errors, asked, error } = await reach.open(paths, true)
  if (conn === undefined) {
    const faults = new FaultFinder(book)
    const found = await Promise.all([...errors].map(([label, why]) => faults.find(label, why, io.signal)))
    const hint = found.find((fault) => fault !== undefined)?.hint
    throw explainDial(
      error!,
      hint ?? 'check that `multipath speed serve` is running there',
      found.map((fault) => fault?.reason),
    )
  }
  const signalOnAbort = (): void => void conn.destroy()
  io.signal.addEventListener('abort', signalOnAbort)
  try {
    const subject = subjectOf(conn, asked)
    const standing = paths.filter(({ label }) => !errors.has(label))
    await delay(IDLE_MS, undefined, { signal: io.signal }).catch(() => {})
    const idleRttMs = idleRtts(conn)
    const peer = kindOf(conn)
    const openAlone = (label: string): Promise<Subject> =>
      reach.openAlone(standing.find((path) => path.label === label)!)
    const measured = await measureAll(subject, standing, { ...limits, openAlone }, io)
    io.signal.throwIfAborted()
    await closeSubject(subject)
    const failures = new Map([...errors].map(([label, why]) => [label, oneLine(why)]))
    return speedReport({ peer, role: subject.role, paths, failures, idleRttMs, measured })
  } finally {
    io.signal.removeEventListener('abort', signalOnAbort)
    conn.destroy()
  }
}

/** @throws {CliError} where the other end refuses to be measured, or is gone */
function subjectOf(conn: MultipathConn, asked: AskedPeer | Error | undefined): Subject {
  if (asked === undefined || asked instanceof Error) {
    conn.destroy()
    if (asked instanceof CliError) throw asked
    throw new CliError(`the connection was lost: ${asked?.message ?? 'the peer closed it'}`)
  }
  return { conn, ...asked }
}

function measureAll(
  subject: Subject,
  paths: readonly PlannedPath[],
  options: Limits & { readonly openAlone: (label: string) => Promise<Subject> },
  io: CliIo,
): ReturnType<typeof measure> {
  const wanted = { alone: ALL, together: ALL }
  const count = partsOf(subject.role, paths.length, wanted)
  const progress = new Progress(io, count, options.forMs)
  return measure(
    subject,
    paths.map(({ label }) => label),
    {
      ...{ ...options, ...wanted, stallMs: STALL_MS },
      onPart: (label, direction) => progress.part(label, direction),
      onSample: (samples) => progress.sample(samples),
    },
  ).finally(() => progress.end())
}

const SECOND_MS = 1000

/** A line for each part; on a terminal, the one that runs changes while it does. */
class Progress {
  readonly #io: CliIo
  readonly #count: number
  readonly #forMs: number
  #part = 0
  #name = ''
  #direction: Direction = 'both'
  #last: readonly Sample[] = []

  constructor(io: CliIo, count: number, forMs: number) {
    this.#io = io
    this.#count = count
    this.#forMs = forMs
  }

  part(label: string | undefined, direction: Direction): void {
    this.#tell()
    this.#part++
    this.#name = partName(label, direction)
    this.#direction = direction
    this.#last = []
    this.#io.progress?.(`${this.#head}: …`)
  }

  sample(samples: readonly Sample[]): void {
    this.#last = samples
    const leftMs = Math.max(0, this.#forMs - samples.at(-1)!.atMs)
    this.#io.progress?.(`${this.#head}: ${this.#rates(SECOND_MS)}, ${(leftMs / 1000).toFixed(0)} s left`)
  }

  end(): void {
    this.#tell()
    this.#io.progress?.('')
  }

  get #head(): string {
    return `multipath: ${this.#part} of ${this.#count}, ${this.#name}`
  }

  /** The part that is over. */
  #tell(): void {
    if (this.#last.length > 0) this.#io.report(`${this.#head}: ${this.#rates(Infinity)}`)
  }

  /** Over the last `withinMs`. */
  #rates(withinMs: number): string {
    const last = this.#last.at(-1)!
    const first = this.#last.find(({ atMs }) => atMs >= last.atMs - withinMs)
    const from = first === undefined || first === last || withinMs === Infinity ? undefined : first
    const ms = Math.max(1, last.atMs - (from?.atMs ?? 0))
    const rate = (bytes: number): string => megabits((bytes / ms) * 1000)
    const down = `${rate(last.downBytes - (from?.downBytes ?? 0))} down`
    const up = `${rate(last.upBytes - (from?.upBytes ?? 0))} up`
    if (this.#direction === 'both') return `${down}, ${up}`
    return this.#direction === 'download' ? down : up
  }
}
