// SPDX-License-Identifier: Apache-2.0
/** `multipath doctor`: looks at each path to a peer, and says what is wrong and how to fix it. */
import { isIP } from 'node:net'
import { Command, InvalidArgumentError, Option } from 'commander'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { EXIT_ILL, EXIT_USAGE } from '../exit-codes.js'
import type { HostPort } from '../parse.js'
import { parseCount, parseHostPort, parseSeconds } from '../parse.js'
import { examine } from './examine.js'
import { diagnosisText } from './text.js'

const SECONDS = 3
const MIB = 1024 * 1024
const MOST_MIB = 256
const LARGEST_MIB = 1024 * 1024

interface DoctorFlags {
  readonly address?: readonly string[]
  readonly seconds: number
  readonly maxMib: number
  readonly load: boolean
  readonly json?: true
  readonly ipv4?: true
  readonly ipv6?: true
}

export function doctorCommand(io: CliIo): Command {
  const command = new Command('doctor')
    .summary('find faults on the paths to a peer, and suggest fixes')
    .description(DESCRIPTION)
    .usage('[options] HOST:PORT...')
    .argument(
      '<HOST:PORT...>',
      'address of a multipath listener; each of its addresses is a path',
      collectTargets,
    )
  for (const option of OPTIONS()) command.addOption(option)
  return command.action(async (targets: readonly HostPort[], flags: DoctorFlags) => {
    await runDoctor(targets, flags, io)
  })
}

const DESCRIPTION = [
  'Examines each path that `multipath nc HOST:PORT...` would use. For each path it reports the route of its packets, the result of the handshake, the round-trip time idle and under load, and the rate of the path alone. It also reports the rate of all paths together.',
  'If packets leave by a different interface from the one that has their source address, doctor names the path and prints the ip(8) commands that would correct it. It never runs them. doctor looks up routes only on Linux, with iproute2.',
  'To measure rates, doctor uploads random bytes for --seconds on each path and then on all together. It announces the largest possible total first. The peer must read: use `multipath nc -l -b`, an echo server, or any other listener that reads its input. The report is written to standard output, and the progress to standard error.',
].join('\n\n')

export const DOCTOR_EXAMPLES: readonly string[] = [
  'multipath doctor host:4000                        # with multipath nc -l -b -p 4000 at the other end',
  'multipath doctor --no-load host:4000              # routes and handshakes only',
  'multipath doctor --address 192.168.1.20 host:4000 # one source address alone',
  'multipath doctor --json host:4000 > paths.json    # for programs',
]

const OPTIONS = (): Option[] => [
  new Option(
    '--address <local>',
    'use only this local address (default: every usable one); may be repeated',
  ).argParser(collectAddresses),
  new Option('-s, --seconds <seconds>', 'time to upload on each path, and again on all together')
    .argParser(parseSeconds)
    .default(SECONDS * 1000, `${SECONDS}`),
  new Option('--max-mib <n>', 'largest upload on each path, and on all together, in MiB')
    .argParser(parseCount(LARGEST_MIB))
    .default(MOST_MIB),
  new Option('--no-load', 'do not upload'),
  new Option('--json', 'print one JSON object instead of text'),
  new Option('-4, --ipv4', 'use IPv4 only'),
  new Option('-6, --ipv6', 'use IPv6 only').conflicts('ipv4'),
]

async function runDoctor(targets: readonly HostPort[], flags: DoctorFlags, io: CliIo): Promise<void> {
  if (flags.load && flags.seconds === 0)
    throw new CliError('--seconds must be more than 0 to measure rates', {
      exitCode: EXIT_USAGE,
      hint: 'use --no-load to skip these measurements',
    })
  const diagnosis = await examine(
    {
      targets,
      family: flags.ipv4 ? 4 : flags.ipv6 ? 6 : 0,
      addresses: flags.address,
      load: flags.load ? { forMs: flags.seconds, maxBytes: flags.maxMib * MIB } : undefined,
    },
    io,
  )
  io.print(flags.json ? `${JSON.stringify(diagnosis, null, 2)}\n` : diagnosisText(diagnosis))
  if (!diagnosis.isFine)
    throw new CliError('doctor found a fault', {
      exitCode: EXIT_ILL,
      hint: 'the report names it',
    })
}

function collectTargets(text: string, before: readonly HostPort[] = []): HostPort[] {
  return [...before, parseHostPort(text)]
}

function collectAddresses(text: string, before: readonly string[] = []): string[] {
  if (isIP(text) === 0 || text.includes('%'))
    throw new InvalidArgumentError('It must be an IP address of this machine, without an interface suffix.')
  return [...before, text.includes(':') ? canonical(text) : text]
}

/** An IPv6 address as the system writes it, so that it is found there: RFC 5952, which URLs follow. */
function canonical(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}
