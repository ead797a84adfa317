// SPDX-License-Identifier: Apache-2.0
/** `multipath forward`: TCP ports here and there, through one session. */
import { Command, Option } from 'commander'
import type { CliIo } from '../cli-io.js'
import type { HostPort } from '../parse.js'
import { ClientPart } from './client-part.js'
import { collect } from './common-options.js'
import type { ClientFlags } from './dial-session.js'
import { CLIENT_OPTIONS, PATH_SYNTAX } from './dial-session.js'
import { leadTo } from './lead-to.js'
import type { ForwardRule, ForwardTarget } from './parse-places.js'
import { formatTarget, parseLocalForward, parseRemoteForward } from './parse-places.js'
import { RemoteForwards } from './remote-forwards.js'
import { runAlone } from './part.js'
import type { ClientContext, LocalPort } from './run-client.js'
import { ownStage } from './stage.js'
import type { StreamRequest } from './stream-request.js'
import { usage } from './usage.js'
import type { UdpPort } from '../udp/udp-port.js'
import { listenAllUdp } from '../udp/udp-port.js'

export interface ForwardFlags extends ClientFlags {
  readonly local?: readonly ForwardRule[]
  readonly remote?: readonly ForwardRule<HostPort>[]
}

export function forwardCommand(io: CliIo): Command {
  const command = new Command('forward')
    .summary('forward TCP and UDP ports through multipath serve')
    .description(DESCRIPTION)
    .usage(
      '[options] --to HOST:PORT... --local [udp:][BIND:]PORT=TARGET... --remote [BIND:]PORT=HOST:PORT...',
    )
  for (const option of FORWARD_OPTIONS()) command.addOption(option)
  return command.action((flags: ForwardFlags) =>
    runAlone(forwardPart(flags, io.env), ownStage('forward', flags, io)),
  )
}

/** @throws {CliError} EXIT_USAGE for flags that do not go together */
export function forwardPart(flags: ForwardFlags, env: CliIo['env']): ClientPart {
  const { local = [], remote = [] } = flags
  if (local.length === 0 && remote.length === 0) throw usage('no port to forward', 'give --local or --remote')
  const ports = local.filter(({ protocol }) => protocol === undefined).map(portOf)
  const udpPorts = local.filter(({ protocol }) => protocol === 'udp').map(udpPortOf)
  const more = {
    key: JSON.stringify(udpPorts),
    open: (context: ClientContext): Promise<() => void> => listenAllUdp(udpPorts, context),
  }
  const { onSession } = new RemoteForwards(remote)
  return new ClientPart(flags, { ports, more, ...(remote.length > 0 && { onSession }) }, env)
}

const DESCRIPTION = [
  'Forwards TCP and UDP ports. All their connections share one connection over several paths. Each is a stream of it, with its own flow control and its own end. --local listens here and forwards to a target that multipath serve allows: HOST:PORT, or a name that serve has given. --remote lets serve listen on its machine and forwards to a target that this machine can reach.',
  'With udp: in front, --local forwards UDP. All packets from the same address and port are a flow, for which serve opens a socket. The target needs an --allow with udp: at serve. A flow ends after two minutes without packets; 512 may be open. Packets wait neither for each other nor for streams. A packet that is late on its path is sent again on another path, and is dropped after two seconds.',
  'The ports are open from the start. While no path is up, a new connection waits for --wait seconds and is then reset. forward reconnects to serve as soon as possible. If all paths are lost, the open streams wait for --hold seconds for one to return, and are reset after that.',
  PATH_SYNTAX,
].join('\n\n')

export const FORWARD_EXAMPLES: readonly string[] = [
  'multipath forward --to gw:7000 --to gw:7001 --local 8080=web            # the target web of serve, here on port 8080',
  'multipath forward --to gw:7000@192.168.1.20 --to gw:7000@10.64.3.7 --local 5432=db.internal:5432  # over two uplinks',
  'multipath forward --to gw:7000 --to gw:7001 --local udp:5353=10.0.0.1:53   # DNS; serve needs --allow udp:10.0.0.1:53',
  'multipath forward --to gw:7000 --remote 8022=localhost:22               # ssh of this machine, on port 8022 of the server',
]

export const FORWARD_OPTIONS = (): Option[] => [
  new Option(
    '--local <[udp:][bind:]port=target>',
    'listen here, on loopback unless BIND is given, and forward to TARGET there: HOST:PORT or a name; may be repeated',
  ).argParser(collect(parseLocalForward)),
  new Option(
    '--remote <[bind:]port=host:port>',
    'let serve listen there, and forward to HOST:PORT here; may be repeated',
  ).argParser(collect(parseRemoteForward)),
  ...CLIENT_OPTIONS(),
]

function portOf({ bind, target }: ForwardRule): LocalPort {
  const leadsTo = formatTarget(target)
  const request = requestFor(target)
  return { bind, leadsTo, serve: (socket, context) => leadTo(socket, { target: leadsTo, request }, context) }
}

function udpPortOf({ bind, target }: ForwardRule): UdpPort {
  const request = { ...requestFor(target), kind: 'udp' } as const
  return { bind, leadsTo: formatTarget(target), request }
}

function requestFor(target: ForwardTarget): StreamRequest {
  return 'name' in target ? { kind: 'service', host: target.name, port: 0 } : { kind: 'connect', ...target }
}
