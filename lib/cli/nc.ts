// SPDX-License-Identifier: Apache-2.0
/** `multipath nc`: standard input and output through one multipath connection. Flags as bondcat's. */
import { Command, Option } from 'commander'
import { ignore } from '../ignore.js'
import { benchmark, benchmarkAsListener } from './benchmark.js'
import { bridge } from './bridge.js'
import { oneLine } from './cli-error.js'
import type { CliIo } from './cli-io.js'
import { CTL_OPTIONS, offerCtl } from './ctl/offer.js'
import { execEnd } from './exec-end.js'
import { explain } from './explain.js'
import { Registry } from './live/registry.js'
import type { LocalEnd } from './local-end.js'
import { standardEnd } from './local-end.js'
import type { NcFlags, NcListen, NcOptions } from './nc-options.js'
import { ncOptions } from './nc-options.js'
import { openByDialling } from './open-by-dialling.js'
import { listenForAll, openByListening } from './open-by-listening.js'
import type { Opened, Surroundings } from './opened.js'
import { parseCount, parseHostPort, parsePort, parseSeconds } from './parse.js'
import { relayEnd } from './relay-end.js'
import { collect, TOKEN_OPTION } from './streams/common-options.js'
import { PATH_SYNTAX } from './streams/dial-session.js'
import { Log } from './streams/log.js'
import { TLS_OPTIONS } from './streams/path-dialers.js'
import type { PathPlace } from './streams/path-place.js'
import { parsePathPlace } from './streams/path-place.js'
import { Transfer } from './transfer.js'
import { Tasks } from './streams/tasks.js'
import { PEER_SCHEDULER_OPTION, TUNING_OPTIONS } from './tuning.js'

/** Default of --quit-after: longer than a Go peer's own pauses when it sends again what was lost. */
const QUIET_MS = 2000
const MOST_MULTIPLIER = 64
/** With --keep-open, connections that a signal ends have so long, milliseconds. */
const LAST_WORDS_MS = 2000

export function ncCommand(io: CliIo): Command {
  const command = new Command('nc')
    .summary('pipe standard input and output through a multipath connection')
    .description(DESCRIPTION)
    .usage('[options] HOST:PORT...\n       multipath nc [options] --listen [-p PORT]')
    .argument(
      '[HOST:PORT...]',
      'a path to connect by; each address of a name is a path',
      collect(parsePathPlace),
    )
  for (const option of OPTIONS()) command.addOption(option)
  return command.action(async (targets: readonly PathPlace[] = [], flags: NcFlags) => {
    await runNc(ncOptions(targets, flags, io.env), io)
  })
}

/** Each a line of its own: the parser wraps them. */
const DESCRIPTION = [
  'Pipes standard input and output through one connection over several paths, as bondcat does.',
  'Each HOST:PORT is a path, and a name stands for all of its addresses. Without -a, every local address that can reach a target becomes a path of its own. Local and target address must have the same family. Loopback addresses reach only loopback, and link-local addresses are not used. Addresses of containers, virtual machines and tunnels reach only their own network. nc follows addresses that appear and disappear, and retries an unreachable path in the background. With --listen, nc listens on each local address that exists when it starts. It serves one connection, or with --keep-open any number of them.',
  PATH_SYNTAX,
  'With --token-file, both ends prove that they know the same secret before anything is sent. With --tls and the other --tls options, every path uses TLS; the side that listens needs --tls-cert and --tls-key.',
  'On a terminal, nc shows how much was transferred, the rate, the share of each path and, for a file, the time left. At the end, it prints a summary of one line.',
  'A multipath-net peer learns when the input ends, and may continue to send. A Go peer (bondcat) has no message for that: nc closes the connection once all data is acknowledged and nothing has arrived for --quit-after seconds. With the null device as input, nc sends nothing and the peer decides when to close.',
].join('\n\n')

/** What to try first. */
export const NC_EXAMPLES: readonly string[] = [
  'multipath nc -l -p 4000 > file                  # receive a file, on every local address',
  'multipath nc host:4000 < file                   # send it, from every local address',
  'multipath nc -a host-a:4000 host-b:4000 < file  # over exactly these paths',
  'multipath nc -l -p 4000 --relay localhost:22    # pass one connection on to a server',
  "multipath nc -l -p 4000 -e 'tar xz'             # unpack the received archive",
  'multipath nc -l -k -p 4000 --relay localhost:22 # pass all connections on',
  'multipath nc host:4000@eth0 host:4000@wwan0,tier=backup < file  # LTE only where it is needed',
  'multipath nc -b -x 4 host:4000                  # measure, with -l -b at the other end',
]

const OPTIONS = (): Option[] => [
  new Option('-l, --listen', 'listen for a connection instead of dialling one'),
  new Option('-p, --port <port>', 'port to listen on (default: a free port, which is printed)').argParser(
    parsePort,
  ),
  new Option('-4, --ipv4', 'use IPv4 only'),
  new Option('-6, --ipv6', 'use IPv6 only'),
  new Option('-a, --no-auto-detect', 'do not bind to each local address: let the system choose'),
  new Option('-x, --multiplier <n>', 'subflows for each path (default: 1)').argParser(
    parseCount(MOST_MULTIPLIER),
  ),
  new Option(
    '-i, --idle-timeout <seconds>',
    'close the connection after this time without a byte in either direction',
  ).argParser(parseSeconds),
  new Option(
    '--quit-after <seconds>',
    'after the end of input, close the connection to a Go peer once it has been quiet for this time',
  )
    .argParser(parseSeconds)
    .default(QUIET_MS, `${QUIET_MS / 1000}`),
  new Option('-b, --benchmark', 'write and read zeros as fast as possible, and print the rates'),
  new Option('-e, --exec <command>', 'connect a shell command to the connection; only with --listen'),
  new Option('--relay <host:port>', 'pass the connection on to a TCP server; only with --listen').argParser(
    parseHostPort,
  ),
  new Option(
    '--peer <kind>',
    'accepted peers: any, or ours to refuse Go peers, which cannot signal the end of their data',
  ).choices(['any', 'ours']),
  new Option(
    '-k, --keep-open',
    'serve any number of connections, until a signal; only with --listen, and --exec or --relay',
  ),
  ...TLS_OPTIONS(),
  new Option(
    '--tls-client-ca <file>',
    'with --listen, accept only peers whose --tls-cert verifies against this file',
  ),
  TOKEN_OPTION(),
  ...TUNING_OPTIONS(),
  PEER_SCHEDULER_OPTION(),
  ...CTL_OPTIONS(),
  new Option('--json', 'report in JSON, one object on each line'),
  new Option('-q, --quiet', 'report only the failure of the command'),
  new Option('-v, --verbose', 'report each subflow, and counters of each path at the end'),
]

async function runNc(options: NcOptions, io: CliIo): Promise<void> {
  const log = new Log(io, options)
  const openEnd = localEnd(options, io)
  const registry = new Registry(options.scheduler)
  const surroundings = { io, log, registry }
  for (const warning of options.warnings) log.warn('exposed', warning)
  if (options.mode === 'listen' && options.isKeptOpen && openEnd !== undefined) {
    await serveAll(options, openEnd, surroundings)
    return
  }
  const opened =
    options.mode === 'dial'
      ? await openByDialling(options, surroundings)
      : await openByListening(options, surroundings)
  // It may fail before anything pipes it, and is asked below.
  opened.conn.on('error', ignore)
  const { dialer, pathsOf } = opened
  let closeCtl = ignore
  try {
    closeCtl = await offerCtl(options, { command: 'nc', log, parts: [{ registry, dialer, pathsOf }] }, io)
    if (opened.conn.errored !== null) throw explain(opened.conn.errored)
    await serve(opened, openEnd, options, surroundings)
  } finally {
    closeCtl()
    await opened.close()
    log.close()
  }
}

async function serve(
  opened: Opened,
  openEnd: OpenEnd | undefined,
  options: NcOptions,
  surroundings: Surroundings,
): Promise<void> {
  const { io } = surroundings
  if (openEnd !== undefined) return pass(opened, openEnd, options, surroundings)
  return options.mode === 'listen'
    ? benchmarkAsListener(opened, options, io)
    : benchmark(opened.conn, options, io)
}

/** Joins a connection with our end, and tells how that goes. */
async function pass(
  { conn, live }: Pick<Opened, 'conn' | 'live'>,
  openEnd: OpenEnd,
  options: NcOptions,
  { io, log }: Surroundings,
): Promise<void> {
  let local: LocalEnd
  try {
    local = await openEnd()
  } catch (error) {
    conn.resetAndDestroy()
    throw error
  }
  const { sizeBytes, isTyped = false } = local
  const isShown = !isTyped && !options.isQuiet && !options.isJson
  const transfer = new Transfer({ live, log, io, sizeBytes, isShown })
  try {
    const isOver = bridge(conn, local, options, io.signal)
    if (local.isReadByUser === true) transfer.hideOnceReceived()
    await isOver
    transfer.end()
  } catch (error) {
    transfer.end(error as Error)
    throw error
  }
}

/** Every connection, each with an end of its own, until a signal; what happens to one ends no other. @throws {CliError} */
async function serveAll(options: NcListen, openEnd: OpenEnd, surroundings: Surroundings): Promise<void> {
  const { io, log, registry } = surroundings
  const tasks = new Tasks()
  const closeCtl = await offerCtl(options, { command: 'nc', log, parts: [{ registry }] }, io)
  const door = await listenForAll(options, surroundings, (opened) => {
    opened.conn.on('error', ignore)
    tasks.add(
      pass(opened, openEnd, options, surroundings).catch((error: unknown) =>
        log.warn('session-failed', oneLine(error), { reason: (error as Error).message }),
      ),
    )
  })
  try {
    if (!io.signal.aborted) await new Promise((resolve) => io.signal.addEventListener('abort', resolve))
    const left = tasks.size
    await tasks.idle(LAST_WORDS_MS)
    if (left > 0) throw io.signal.reason
  } finally {
    closeCtl()
    await door.close()
    log.close()
  }
}

/** Opens our end once the connection stands. */
type OpenEnd = () => LocalEnd | Promise<LocalEnd>

/**
 * `undefined` for a benchmark. Standard streams are there already, and should they be unfit, it is better said
 * before anybody is connected.
 */
function localEnd(options: NcOptions, io: CliIo): OpenEnd | undefined {
  if (options.isBenchmark) return undefined
  if (options.mode === 'listen') {
    const { exec, relay } = options
    if (exec !== undefined) return () => execEnd(exec)
    if (relay !== undefined) return () => relayEnd(relay, io.signal)
  }
  const standard = standardEnd(io)
  return () => standard
}
