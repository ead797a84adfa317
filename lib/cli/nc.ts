// SPDX-License-Identifier: Apache-2.0
/** `multipath nc`: standard input and output through one multipath connection. Flags as bondcat's. */
import { Command, Option } from 'commander'
import { ignore } from '../ignore.js'
import { benchmark, benchmarkAsListener } from './benchmark.js'
import { bridge } from './bridge.js'
import type { CliIo } from './cli-io.js'
import { CTL_OPTIONS, offerCtl } from './ctl/offer.js'
import { execEnd } from './exec-end.js'
import { explain } from './explain.js'
import { Registry } from './live/registry.js'
import type { LocalEnd } from './local-end.js'
import { standardEnd } from './local-end.js'
import type { NcFlags, NcOptions } from './nc-options.js'
import { ncOptions } from './nc-options.js'
import { openByDialling } from './open-by-dialling.js'
import { openByListening } from './open-by-listening.js'
import type { Opened } from './opened.js'
import type { HostPort } from './parse.js'
import { parseCount, parseHostPort, parsePort, parseSeconds } from './parse.js'
import { relayEnd } from './relay-end.js'
import { Log } from './streams/log.js'
import { TUNING_OPTIONS } from './tuning.js'

/** Default of --quit-after: longer than a Go peer's own pauses when it sends again what was lost. */
const QUIET_MS = 2000
const MOST_MULTIPLIER = 64

export function ncCommand(io: CliIo): Command {
  const command = new Command('nc')
    .summary('pipe standard input and output through a multipath connection')
    .description(DESCRIPTION)
    .usage('[options] HOST:PORT...\n       multipath nc [options] --listen [-p PORT]')
    .argument('[HOST:PORT...]', 'target to connect to; each of its addresses is a path', collectTargets)
  for (const option of OPTIONS()) command.addOption(option)
  return command.action(async (targets: readonly HostPort[], flags: NcFlags) => {
    await runNc(ncOptions(targets, flags), io)
  })
}

/** Each a line of its own: the parser wraps them. */
const DESCRIPTION = [
  'Pipes standard input and output through one connection over several paths, as bondcat does.',
  'Each HOST:PORT is a path, and a name stands for all of its addresses. Without -a, every local address that can reach a target becomes a path of its own. Local and target address must have the same family. Loopback addresses reach only loopback, and link-local addresses are not used. Addresses of containers, virtual machines and tunnels reach only their own network. nc follows addresses that appear and disappear, and retries an unreachable path in the background. With --listen, nc listens on each local address and serves one connection.',
  'A multipath-net peer learns when the input ends, and may continue to send. A Go peer (bondcat) has no message for that: nc closes the connection once all data is acknowledged and nothing has arrived for --quit-after seconds. With the null device as input, nc sends nothing and the peer decides when to close.',
].join('\n\n')

/** What to try first. */
export const NC_EXAMPLES: readonly string[] = [
  'multipath nc -l -p 4000 > file                  # receive a file, on every local address',
  'multipath nc host:4000 < file                   # send it, from every local address',
  'multipath nc -a host-a:4000 host-b:4000 < file  # over exactly these paths',
  'multipath nc -l -p 4000 --relay localhost:22    # pass one connection on to a server',
  "multipath nc -l -p 4000 -e 'tar xz'             # unpack the received archive",
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
    '-q, --quit-after <seconds>',
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
  ...TUNING_OPTIONS(),
  ...CTL_OPTIONS(),
  new Option('--json', 'report in JSON, one object on each line'),
  new Option('--quiet', 'report nothing but the failure of the command'),
  new Option('-v, --verbose', 'report each subflow, and counters of each path at the end'),
]

async function runNc(options: NcOptions, io: CliIo): Promise<void> {
  const log = new Log(io, options)
  const openEnd = localEnd(options, io)
  const registry = new Registry(options.scheduler)
  const opened =
    options.mode === 'dial'
      ? await openByDialling(options, { io, log, registry })
      : await openByListening(options, { io, log, registry })
  // It may fail before anything pipes it, and is asked below.
  opened.conn.on('error', ignore)
  const closeCtl = await offerCtl(options, { command: 'nc', registry, log, dialer: opened.dialer }, io)
  try {
    if (opened.conn.errored !== null) throw explain(opened.conn.errored)
    await serve(opened, openEnd, options, io)
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
  io: CliIo,
): Promise<void> {
  const { conn } = opened
  if (openEnd === undefined)
    return options.mode === 'listen' ? benchmarkAsListener(opened, options, io) : benchmark(conn, options, io)
  let local: LocalEnd
  try {
    local = await openEnd()
  } catch (error) {
    conn.resetAndDestroy()
    throw error
  }
  return bridge(conn, local, options, io.signal)
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

function collectTargets(text: string, before: readonly HostPort[] = []): HostPort[] {
  return [...before, parseHostPort(text)]
}
