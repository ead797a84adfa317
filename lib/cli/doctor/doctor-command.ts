// SPDX-License-Identifier: Apache-2.0
/** `multipath doctor`: looks at each path to a peer, and says what is wrong and how to fix it. */
import { isIP } from 'node:net'
import { Command, InvalidArgumentError, Option } from 'commander'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { EXIT_ILL, EXIT_USAGE } from '../exit-codes.js'
import { familyOf, parseCount, parseSeconds } from '../parse.js'
import { collect, TOKEN_OPTION } from '../streams/common-options.js'
import type { TlsFlags } from '../streams/path-dialers.js'
import { TLS_OPTIONS } from '../streams/path-dialers.js'
import type { PathPlace } from '../streams/path-place.js'
import { parsePathPlace } from '../streams/path-place.js'
import { loadToken } from '../streams/secrets.js'
import { examine } from './examine.js'
import { diagnosisText } from './text.js'

const SECONDS = 3
const MIB = 1024 * 1024
const MOST_MIB = 256
const LARGEST_MIB = 1024 * 1024

interface DoctorFlags extends TlsFlags {
  readonly tokenFile?: string
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
      'a path to a multipath listener, as --to of forward has it; each address of a name is a path',
      collect(parsePathPlace),
    )
  for (const option of OPTIONS()) command.addOption(option)
  return command.action(async (targets: readonly PathPlace[], flags: DoctorFlags) => {
    await runDoctor(targets, flags, io)
  })
}

const DESCRIPTION = [
  'Examines each path that `multipath nc HOST:PORT...` would use. For each path it reports the route of its packets and the result of the handshake. It measures the round-trip time idle and under load, and the rates of the path alone in each direction. It also reports the rates of all paths together, in each direction and in both.',
  'If packets leave by a different interface from the one that has their source address, doctor names the path and prints the ip(8) commands that would correct it. It never runs them. doctor looks up routes only on Linux, with iproute2.',
  'To measure rates, doctor transfers random bytes for --seconds in each direction, on each path and then on all together. A direction in which nothing arrives at first gets up to 5 s. It announces the largest possible total first. At the other end, use `multipath serve`, `multipath speed serve` or `multipath nc -l -b`. Other listeners can be measured in part: one that only reads by uploads, one that only sends by downloads, and an echo server in both directions at once. The report is written to standard output, and the progress to standard error.',
].join('\n\n')

export const DOCTOR_EXAMPLES: readonly string[] = [
  'multipath doctor host:4000                        # with multipath speed serve --listen 4000 at the other end',
  'multipath doctor --tls-ca ca.pem --token-file secret host:7000  # the serve of your tunnel',
  'multipath doctor --no-load host:4000              # routes and handshakes only',
  'multipath doctor --address 192.168.1.20 host:4000 # one source address alone',
  'multipath doctor --json host:4000 > paths.json    # for programs',
]

const OPTIONS = (): Option[] => [
  new Option(
    '--address <local>',
    'use only this local address (default: every usable one); may be repeated',
  ).argParser(collectAddresses),
  new Option('-s, --seconds <seconds>', 'time for each direction on each path, and again on all together')
    .argParser(parseSeconds)
    .default(SECONDS * 1000, `${SECONDS}`),
  new Option('--max-mib <n>', 'largest transfer in each direction on each path, and on all together, in MiB')
    .argParser(parseCount(LARGEST_MIB))
    .default(MOST_MIB),
  new Option('--no-load', 'do not transfer anything'),
  ...TLS_OPTIONS(),
  TOKEN_OPTION(),
  new Option('--json', 'print one JSON object instead of text'),
  new Option('-4, --ipv4', 'use IPv4 only'),
  new Option('-6, --ipv6', 'use IPv6 only').conflicts('ipv4'),
]

async function runDoctor(targets: readonly PathPlace[], flags: DoctorFlags, io: CliIo): Promise<void> {
  if (flags.load && flags.seconds === 0)
    throw new CliError('--seconds must be more than 0 to measure rates', {
      exitCode: EXIT_USAGE,
      hint: 'use --no-load to skip these measurements',
    })
  const diagnosis = await examine(
    {
      targets,
      family: familyOf(flags),
      addresses: flags.address,
      tls: flags,
      token: loadToken(flags.tokenFile, io.env),
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

function collectAddresses(text: string, before: readonly string[] = []): string[] {
  if (isIP(text) === 0 || text.includes('%'))
    throw new InvalidArgumentError('It must be an IP address of this machine, without an interface suffix.')
  return [...before, text.includes(':') ? canonical(text) : text]
}

/** An IPv6 address as the system writes it, so that it is found there: RFC 5952, which URLs follow. */
function canonical(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}
