// SPDX-License-Identifier: Apache-2.0
/** Opens a connection as planned, each of its paths over a relay. */
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { MultipathDialer, MultipathListener, tcpDialer, type MultipathConn } from 'multipath-net'
import type { GoPeer } from '../../interop/support/go-peer.js'
import { ignore } from '../../lib/ignore.js'
import { GoEnd, OurEnd, type End } from './ends.js'
import { SoakPath } from './path.js'
import type { Plan } from './plan.js'

export interface Opened extends AsyncDisposable {
  readonly dialling: End
  readonly listening: End
  readonly paths: readonly SoakPath[]
  /** Those of this process, for reports. */
  readonly conns: readonly MultipathConn[]
  readonly dialer?: MultipathDialer
}

interface Listening {
  readonly address: string
  accept(): Promise<{ end: End; conn?: MultipathConn }>
  close(): Promise<void>
}

interface Dialled {
  readonly end: End
  readonly conn?: MultipathConn
  readonly dialer?: MultipathDialer
}

/** A subflow that ours gives up takes with it what Go had for it: with a Go that sends, ours is patient. */
const PATIENT_MS = 60_000

/**
 * @param go - where the plan has a side of Go
 * @param signal - closes what has been opened of it meanwhile: a Go peer may lock itself up before the connection stands
 */
export async function open(plan: Plan, go: GoPeer | undefined, signal: AbortSignal): Promise<Opened> {
  const listener = plan.kind.listens === 'Go' ? await listenInGo(go!) : await listenHere(plan)
  const paths = await Promise.all(plan.rates.map((rate) => SoakPath.open(listener.address, rate)))
  const conns: MultipathConn[] = []
  const close = async (): Promise<void> => {
    for (const path of paths) await path[Symbol.asyncDispose]()
    await listener.close()
  }
  const giveUp = (): void => {
    for (const conn of conns) conn.resetAndDestroy()
    close().catch(ignore)
  }
  signal.addEventListener('abort', giveUp)
  const accepting = listener.accept().then((accepted) => {
    conns.push(...(accepted.conn ? [accepted.conn] : []))
    return accepted
  })
  accepting.catch(ignore)
  const dialled = plan.kind.dials === 'Go' ? await dialInGo(go!, paths) : await dialHere(plan, paths, signal)
  if (dialled.conn) conns.push(dialled.conn)
  const accepted = await accepting
  await Promise.all(paths.map((path) => path.joined()))
  signal.removeEventListener('abort', giveUp)
  return {
    dialling: dialled.end,
    listening: accepted.end,
    paths,
    conns,
    ...(dialled.dialer && { dialer: dialled.dialer }),
    [Symbol.asyncDispose]: close,
  }
}

function options({ kind }: Plan): { allowHalfOpen: true; deadMs?: number } {
  return { allowHalfOpen: true, ...(kind.faults === 'uncut' && { deadMs: PATIENT_MS }) }
}

async function listenHere(plan: Plan): Promise<Listening> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const listener = new MultipathListener([server], [], options(plan))
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async accept() {
      const conn = await listener.accept()
      return { end: new OurEnd(conn), conn }
    },
    close: () => listener.close(),
  }
}

async function listenInGo(go: GoPeer): Promise<Listening> {
  const listener = await go.listen(1)
  return {
    address: listener.addrs[0]!,
    async accept() {
      return { end: new GoEnd(await listener.accept()) }
    },
    close: () => listener.close(),
  }
}

async function dialHere(plan: Plan, paths: readonly SoakPath[], signal: AbortSignal): Promise<Dialled> {
  const dialers = paths.map(({ port }, i) => tcpDialer({ host: '127.0.0.1', port, label: `path ${i}` }))
  const dialer = new MultipathDialer('the other end', dialers, options(plan))
  const conn = await dialer.dial({ signal })
  return { end: new OurEnd(conn), conn, dialer }
}

async function dialInGo(go: GoPeer, paths: readonly SoakPath[]): Promise<Dialled> {
  const dialer = await go.dialer(paths.map(({ address }) => address))
  return { end: new GoEnd(await dialer.dial()) }
}
