// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  MultipathDialer,
  MultipathListener,
  tcpDialer,
  tlsDialer,
  webSocketDialer,
  webSocketServer,
} from '../../lib/index.js'
import { CERTIFICATE, FINGERPRINT } from '../support/certificate.js'
import { PatternChecker, patternAt } from '../support/pattern.js'
import { listening, portOf } from '../support/tcp.js'
import { until } from '../support/turns.js'

const MIB = 1_048_576

/** A way to a port that can be cut and opened again. */
class Relay {
  isOpen = false
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async to(port: number): Promise<Relay> {
    const relay: Relay = new Relay(
      await listening(createServer({ noDelay: true }, (socket) => relay.#carry(socket, port))),
    )
    onTestFinished(() => relay.cut())
    return relay
  }

  get port(): number {
    return portOf(this.#server)
  }

  cut(): void {
    this.isOpen = false
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  #carry(socket: Socket, port: number): void {
    socket.on('error', () => {})
    if (!this.isOpen) {
      socket.destroy()
      return
    }
    const target = connect({ port, host: '127.0.0.1', noDelay: true })
    target.on('error', () => {})
    for (const [one, other] of [
      [socket, target],
      [target, socket],
    ] as const) {
      this.#sockets.add(one)
      one.pipe(other)
      one.on('close', () => {
        this.#sockets.delete(one)
        other.destroy()
      })
    }
  }
}

/** Servers of TCP, TLS and WebSockets in one listener, each behind a relay. */
async function threeWays(): Promise<{
  relays: [Relay, Relay, Relay]
  listener: MultipathListener
  dialer: MultipathDialer
}> {
  const tcp = await listening()
  const tls = await listening(createTlsServer(CERTIFICATE))
  const web = await webSocketServer({ port: 0, host: '127.0.0.1' })
  const webPort = (web.address() as { port: number }).port
  const listener = new MultipathListener([tcp, tls, web])
  onTestFinished(() => listener.close())
  const relays: [Relay, Relay, Relay] = [
    await Relay.to(portOf(tcp)),
    await Relay.to(portOf(tls)),
    await Relay.to(webPort),
  ]
  const host = '127.0.0.1'
  const dialer = new MultipathDialer(
    'x',
    [
      tcpDialer({ label: 'tcp', host, port: relays[0].port }),
      tlsDialer({ label: 'tls', host, port: relays[1].port, fingerprints: [FINGERPRINT] }),
      webSocketDialer({ label: 'web', url: `ws://${host}:${relays[2].port}/` }),
    ],
    { redialMinMs: 5, redialMaxMs: 20 },
  )
  return { relays, listener, dialer }
}

describe('a connection under load', () => {
  it('moves from TCP to TLS to a WebSocket and back, and every byte arrives once', async () => {
    const { relays, listener, dialer } = await threeWays()
    const [tcp, tls, web] = relays
    tcp.isOpen = true
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    const received = new PatternChecker(7)
    far.on('data', (chunk: Buffer) => received.add(chunk))
    let sent = 0
    let isOver = false
    const written = (async () => {
      while (!isOver) {
        if (!near.write(patternAt(7, sent, 65_536))) await once(near, 'drain')
        sent += 65_536
      }
    })()
    const moveTo = async (to: Relay, label: string): Promise<void> => {
      to.isOpen = true
      await until(() => near.subflows().some((subflow) => subflow.label === label && subflow.state === 'up'))
      for (const relay of relays) if (relay !== to) relay.cut()
      const before = received.bytes
      await until(() => received.bytes > before + 4 * MIB)
      expect(near.subflows().map((subflow) => subflow.label)).toContain(label)
    }
    await until(() => received.bytes > MIB)
    await moveTo(tls, 'tls')
    await moveTo(web, 'web')
    await moveTo(tcp, 'tcp')
    isOver = true
    await written
    near.resume().end()
    await until(() => near.closed && far.closed)
    expect([received.bytes, received.wrongAt]).toEqual([sent, undefined])
  })
})
