// SPDX-License-Identifier: Apache-2.0
/**
 * UDP that the rules of the kernel lead to the port of the gateway. A flow is what comes from one address and port, and goes to one
 * place. The kernel makes answers look as if they came from there.
 */
import type { RemoteInfo, Socket } from 'node:dgram'
import { ignore } from '../../ignore.js'
import { CliError, oneLine } from '../cli-error.js'
import { formatHostPort, type HostPort } from '../parse.js'
import type { Traced } from '../run/udp-trace.js'
import { followTrace } from '../run/udp-trace.js'
import { parseAddress } from '../streams/host.js'
import type { Log } from '../streams/log.js'
import type { ClientContext } from '../streams/run-client.js'
import { boundSocket, onPacket, sendPacket } from '../udp/bound-socket.js'
import type { Flow } from '../udp/flow.js'
import { FlowTable } from '../udp/flow-table.js'
import { openFlow } from '../udp/open-flow.js'
import { widen } from '../udp/udp-port.js'
import { udpChainOf } from './net-script.js'
import type { Led } from './udp-leads.js'
import { UdpLeads } from './udp-leads.js'

export interface UdpCaptureInit {
  readonly port: number
  readonly log: Log
  /** The name that an address stands for, or the address. */
  readonly hostOf: (address: string) => string
  /** What carries packets to a place; `undefined`: no rule is for it. */
  readonly contextFor: (place: HostPort) => ClientContext | undefined
}

const FAMILIES = ['udp4', 'udp6'] as const
/** The trace is followed again after this time, milliseconds, and after twice as long each time it ends soon. */
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 60_000

export class UdpCapture {
  readonly #init: UdpCaptureInit
  readonly #sockets = new Map<4 | 6, Socket>()
  readonly #flows = new FlowTable<Flow>()
  readonly #leads = new UdpLeads((led, packet) => this.#pass(led, packet))
  #timer: NodeJS.Timeout | undefined
  #stopTrace: () => void = ignore
  #retryMs = FIRST_RETRY_MS
  #retry: NodeJS.Timeout | undefined

  constructor(init: UdpCaptureInit) {
    this.#init = init
  }

  /** @throws {CliError} where the port cannot be had */
  async open(): Promise<void> {
    this.#follow()
    try {
      for (const type of FAMILIES) await this.#listen(type)
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    clearTimeout(this.#retry)
    this.#stopTrace()
    clearTimeout(this.#timer)
    this.#flows.clear()
    for (const socket of this.#sockets.values()) socket.close()
    this.#sockets.clear()
  }

  /** Without the kernel's lines, the destination of a flow is unknown, and its packets are dropped. */
  #follow(): void {
    const { port, log } = this.#init
    const began = performance.now()
    const onTraced = (line: Traced): void => this.#next(() => this.#leads.traced(line, performance.now()))
    this.#stopTrace = followTrace(udpChainOf(port), onTraced, () => {
      if (performance.now() - began > LAST_RETRY_MS) this.#retryMs = FIRST_RETRY_MS
      const seconds = Math.round(this.#retryMs / 1000)
      const message = `nft monitor trace has ended: new flows of UDP are lost until it runs again (next attempt in ${seconds} s)`
      log.warn('udp-lost', message, {})
      this.#retry = setTimeout(() => this.#follow(), this.#retryMs).unref()
      this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS)
    })
  }

  /** The address of the port is one of each interface. Without IPv6, there is IPv4. @throws {CliError} */
  async #listen(type: (typeof FAMILIES)[number]): Promise<void> {
    const { port } = this.#init
    let socket: Socket
    try {
      socket = await boundSocket({ type, ipv6Only: type === 'udp6' }, port)
    } catch (error) {
      if (type === 'udp6') return
      throw new CliError(`cannot listen on udp port ${port}: ${oneLine(error)}`, {
        hint: 'check that no other program uses the port, and choose another --port',
      })
    }
    widen(socket)
    this.#sockets.set(type === 'udp4' ? 4 : 6, socket)
    onPacket(socket, (packet, from) => this.#next(() => this.#came(packet, from)))
  }

  #came(packet: Buffer, { address, port }: RemoteInfo): void {
    const host = parseAddress(address)?.address ?? address
    this.#leads.came({ host, port }, packet, performance.now())
  }

  /** Calls `act`, and sets the timer for what waits then. */
  #next(act: () => void): void {
    act()
    clearTimeout(this.#timer)
    const { dueAt } = this.#leads
    if (dueAt === Infinity) return
    const tick = (): void => this.#next(() => this.#leads.tick(performance.now()))
    this.#timer = setTimeout(tick, Math.max(1, dueAt - performance.now())).unref()
  }

  #pass({ client, destination }: Led, packet: Buffer): void {
    const { hostOf, contextFor } = this.#init
    const place = { host: hostOf(destination.host), port: destination.port }
    const context = contextFor(place)
    if (context === undefined) return
    const target = formatHostPort(place)
    const key = `${formatHostPort(client)}|${target}`
    const flow = this.#flows.use(key, () =>
      openFlow(context, {
        ...{ target, request: { kind: 'udp', ...place } },
        onPacket: (answer) => this.#answer(client, answer),
        onClose: (closed) => this.#flows.delete(key, closed),
      }),
    )
    flow.send(packet)
  }

  #answer({ host, port }: HostPort, answer: Buffer): void {
    const socket = this.#sockets.get(parseAddress(host)?.family ?? 4)
    if (socket !== undefined) sendPacket(socket, answer, { address: host, port })
  }
}
