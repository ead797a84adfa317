// SPDX-License-Identifier: Apache-2.0
/** `multipath gateway`: TCP and UDP of a network, or TCP of this machine, by rules through `multipath serve`. */
import { Command, Option } from 'commander'
import { hasCapabilities, NET_ADMIN } from '../capabilities.js'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { PATH_SYNTAX } from '../streams/dial-session.js'
import { runAlone } from '../streams/part.js'
import { ownStage } from '../streams/stage.js'
import type { GatewayFlags } from './gateway-flags.js'
import { GATEWAY_OPTIONS, gatewayPlan } from './gateway-flags.js'
import { GatewayPart } from './gateway-part.js'
import { clearRules, setRules } from './kernel-rules.js'
import { setScript } from './net-script.js'

interface CommandFlags extends GatewayFlags {
  readonly dryRun?: true
  readonly setUp?: true
  readonly clean?: true
}

export function gatewayCommand(io: CliIo): Command {
  const command = new Command('gateway')
    .summary('carry TCP and UDP of a network through multipath serve, by rules')
    .description(DESCRIPTION)
    .usage('[options] --to HOST:PORT... --match PLACE... --interface NAME...')
  for (const option of [...GATEWAY_OPTIONS(), ...RULE_OPTIONS()]) command.addOption(option)
  return command.action(async (flags: CommandFlags) => {
    if (flags.clean) await clean(flags.port)
    else if (flags.setUp) await setRules(planFor(flags))
    else if (flags.dryRun) io.print(setScript(planFor(flags)))
    else await runAlone(gatewayPart(flags, io.env), ownStage('gateway', flags, io))
  })
}

/** @throws {CliError} EXIT_USAGE for flags that do not go together */
export function gatewayPart(flags: GatewayFlags, env: CliIo['env']): GatewayPart {
  return new GatewayPart(flags, env)
}

const DESCRIPTION = [
  'Captures TCP connections of a network, or of this machine, and carries them through one connection over several paths to multipath serve. The --allow and --allow-socks of serve decide which targets can be reached. Programs and other machines need no settings. It runs on Linux only: nftables redirects connections that match --match to a port on loopback, and all other traffic takes its usual route.',
  'With udp: in front, a rule of --match is for UDP, which serve must allow with udp: as well. Only UDP that arrives on an --interface is captured, and it needs the capability NET_ADMIN.',
  'Names are matched by DNS: a name with a rule gets an address in 198.18.0.0/15 that represents it, and serve looks up the name. Other names are resolved by --dns-server. Special addresses (private, loopback and the like) match only a range that lies within them; * matches none of them. Rules with the same scheduler= and paths= share a session.',
  'The rules of the kernel are removed when the command ends, even if it is killed. Without the capability NET_ADMIN, systemd must open the port, and --set-up must have set the rules.',
  PATH_SYNTAX,
].join('\n\n')

export const GATEWAY_EXAMPLES: readonly string[] = [
  'multipath gateway --to gw:7000@eth0 --to gw:7000@wwan0 --match 203.0.113.0/24:443 --interface lan0 --dry-run',
  "multipath gateway --to gw:7000@eth0 --to gw:7000@wwan0 --match '*.example.org' --interface lan0 --dns 192.168.7.1:53",
  'multipath gateway --to gw:7000@eth0,label=dsl --to gw:7000@wwan0 --match 203.0.113.7,scheduler=redundant --match 203.0.113.8,paths=dsl --local-output',
  'multipath gateway --clean             # removes what was left behind',
]

const RULE_OPTIONS = (): Option[] => [
  new Option('--dry-run', 'print the script that would set the rules of the kernel, and exit'),
  new Option('--set-up', 'set the rules of the kernel, and exit'),
  new Option('--clean', 'remove the rules of the kernel for --port, and exit'),
]

/** @throws {CliError} for one who may not */
async function clean(port: number): Promise<void> {
  if (!hasCapabilities(NET_ADMIN))
    throw new CliError('the rules of the kernel can be removed by root, or with the capability NET_ADMIN', {
      hint: 'run it with sudo',
    })
  await clearRules(port)
}

/** For a process that is still to come. */
function planFor(flags: GatewayFlags): Parameters<typeof setScript>[0] {
  return { ...gatewayPlan(flags), owner: 'none' }
}
