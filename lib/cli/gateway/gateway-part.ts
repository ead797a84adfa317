// SPDX-License-Identifier: Apache-2.0
/** A gateway that runs, alone or as a part of `up`: a session for each policy, and a port for all connections that are captured. */
import type { Server, Socket } from 'node:net'
import { hasCapabilities, NET_ADMIN } from '../capabilities.js'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import { NameTable } from '../run/name-table.js'
import { parseAddress } from '../streams/host.js'
import { leadTo } from '../streams/lead-to.js'
import { listenPort } from '../streams/listen-port.js'
import type { Part } from '../streams/part.js'
import { cut } from '../streams/splice.js'
import type { Stage } from '../streams/stage.js'
import type { GatewayFlags, GatewayPlan } from './gateway-flags.js'
import { gatewayPlan } from './gateway-flags.js'
import { holdRules } from './kernel-rules.js'
import { Matcher } from './match-rule.js'
import { NameRelay } from './name-relay.js'
import { capturesUdp } from './net-script.js'
import { Profiles } from './profiles.js'
import { transparentServers } from './transparent-port.js'
import { UdpCapture } from './udp-capture.js'

/** Names in a second, on average, before one may have an address that an earlier process has given within the TTL of a minute. */
const NAMES_PER_SECOND = 100
const LOOPBACKS = ['127.0.0.1', '::1']

export class GatewayPart implements Part<GatewayPart> {
  readonly #flags: GatewayFlags
  readonly #plan: GatewayPlan
  readonly #matcher: Matcher
  readonly #profiles: Profiles
  readonly #names = new NameTable(Math.floor((Date.now() / 1000) * NAMES_PER_SECOND))

  /** @throws {CliError} EXIT_USAGE for flags that do not go together */
  constructor(flags: GatewayFlags, env: CliIo['env']) {
    this.#flags = flags
    this.#plan = gatewayPlan(flags)
    this.#matcher = new Matcher(this.#plan.rules)
    this.#profiles = new Profiles(flags, this.#plan.rules, env)
  }

  get places(): HostPort[] {
    return [{ host: LOOPBACKS[0]!, port: this.#plan.port }, ...this.#plan.dns]
  }

  /** Runs until a signal, or until the other end says that it never will. @throws {CliError} */
  async run(stage: Stage, onReady: () => void): Promise<void> {
    const mayChange = mayChangeKernel()
    if (mayChange && this.#plan.isLocal) joinGroup(this.#plan.port)
    const { dns: binds, dnsServers: servers, port } = this.#plan
    const relay = new NameRelay({
      ...{ binds, servers, names: this.#names, log: stage.log },
      takes: (name) => this.#matcher.takesName(name),
    })
    const listening: Server[] = []
    const stop = (): void => {
      for (const server of listening) server.close()
    }
    let clearRules: (() => Promise<void>) | undefined
    let closeUdp = (): void => {}
    try {
      listening.push(...(await this.#listen(stage, mayChange)))
      if (capturesUdp(this.#plan.rules)) closeUdp = await this.#openUdp(stage, mayChange)
      await relay.open()
      // New connections go their usual way from then on.
      stage.signal.addEventListener('abort', stop)
      await this.#profiles.run(stage, async () => {
        if (mayChange) clearRules = await holdRules({ ...this.#plan, owner: String(process.pid) })
        const place = formatHostPort({ host: LOOPBACKS[0]!, port })
        stage.log.info('listening', `connections that --match names are captured at ${place}`, { place })
        onReady()
      })
    } finally {
      stage.signal.removeEventListener('abort', stop)
      stop()
      relay.close()
      await clearRules?.()
      closeUdp()
    }
  }

  change(next: GatewayPart): Promise<string[]> {
    return this.#profiles.change(next.#profiles)
  }

  /** @throws {CliError} */
  async #listen({ io, log }: Stage, mayChange: boolean): Promise<Server[]> {
    const { port } = this.#plan
    const serve = (socket: Socket): void => this.#lead(socket, log)
    const common = { maxConnections: this.#flags.maxStreams, serve, log, place: `port ${port}` }
    const handles = LOOPBACKS.flatMap((host) => io.sockets().take({ host, port }) ?? [])
    if (handles.length > 0)
      return Promise.all(
        handles.map((handle) => listenPort({ ...common, bind: { host: LOOPBACKS[0]!, port }, handle })),
      )
    if (!mayChange)
      throw new CliError('gateway must be root, or have the capability NET_ADMIN', {
        hint: 'or let systemd open its port, as the units in deploy/systemd do; multipath socks and multipath run need no privilege',
      })
    const servers = await transparentServers(port)
    return Promise.all(servers.map((bind) => listenPort({ ...common, bind })))
  }

  /** @returns what closes it. @throws {CliError} */
  async #openUdp({ log }: Stage, mayChange: boolean): Promise<() => void> {
    if (!mayChange)
      throw new CliError('rules of --match for UDP need the capability NET_ADMIN', {
        hint: 'run gateway as root',
      })
    const capture = new UdpCapture({
      port: this.#plan.port,
      log,
      hostOf: (address) => this.#names.nameOf(address) ?? address,
      contextFor: (place) => {
        const rule = this.#matcher.ruleFor({ ...place, protocol: 'udp' })
        return rule === undefined ? undefined : this.#profiles.clientFor(rule.policy)
      },
    })
    await capture.open()
    return () => capture.close()
  }

  #lead(socket: Socket, log: Stage['log']): void {
    const { localAddress = '', localPort: port = 0 } = socket
    const address = parseAddress(localAddress)?.address ?? ''
    const host = this.#names.nameOf(address) ?? address
    const target = formatHostPort({ host, port })
    const rule = this.#matcher.ruleFor({ host, port })
    const client = rule === undefined ? undefined : this.#profiles.clientFor(rule.policy)
    if (client === undefined) {
      log.warn('refused', `${target}: no rule is for it`, { target })
      cut(socket)
      return
    }
    const request = { kind: 'connect', host, port } as const
    client.take({ serve: (one, context) => leadTo(one, { target, request }, context) }, socket)
  }
}

function mayChangeKernel(): boolean {
  if (process.platform === 'linux') return hasCapabilities(NET_ADMIN)
  throw new CliError('gateway needs nftables of Linux', { hint: 'use multipath socks' })
}

/** @throws {CliError} */
function joinGroup(group: number): void {
  try {
    process.setegid!(group)
  } catch (error) {
    throw new CliError(`--local-output: cannot take the group ${group}: ${(error as Error).message}`, {
      cause: error,
      hint: 'this group marks the packets of gateway itself; taking it needs the capability SETGID',
    })
  }
}
