// SPDX-License-Identifier: Apache-2.0
/** Somebody on a plain path who sees the connection ID and every byte, and goes to the listener with them. */
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { JoinAuth, SubflowChange } from '../../lib/index.js'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import { encodeReset, RESET } from '../../lib/wire/end-frames.js'
import { encodeDataHeader } from '../../lib/wire/frame.js'
import { encodeHello } from '../../lib/wire/hello.js'
import { ANNOUNCEMENT } from '../../lib/wire/settings.js'
import { listening, pathTo, portOf } from '../support/tcp.js'
import { until } from '../support/turns.js'

const EVIL = Buffer.from('EVIL!')
const MIB = 1_048_576

/** A relay that keeps all that passes. */
class Sniffer {
  /** What dialers said, each stream by itself. */
  readonly said: Buffer[] = []
  cid: Uint8Array | undefined

  async pathTo(port: number): Promise<number> {
    const server = await listening()
    server.on('connection', (near) => {
      const far = connect(port, '127.0.0.1')
      for (const socket of [near, far]) {
        socket.on('error', () => {})
        onTestFinished(() => void socket.destroy())
      }
      const at = this.said.push(Buffer.alloc(0)) - 1
      near.on('data', (chunk: Buffer) => {
        this.said[at] = Buffer.concat([this.said[at]!, chunk])
      })
      far.once('data', (chunk: Buffer) => {
        this.cid ??= new Uint8Array(chunk.subarray(1, 17))
      })
      near.pipe(far)
      far.pipe(near)
    })
    return portOf(server)
  }
}

async function scene(joinAuth: JoinAuth) {
  const server = await listening()
  const listener = new MultipathListener([server], [], { joinAuth, allowHalfOpen: true })
  const sniffer = new Sniffer()
  const port = await sniffer.pathTo(portOf(server))
  const paths = [
    { label: 'sniffed', dial: () => Promise.resolve(connect(port, '127.0.0.1')) },
    pathTo(server, 'beside'),
  ]
  const dialer = new MultipathDialer('x', paths, { joinAuth, allowHalfOpen: true })
  const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
  const reasons: string[] = []
  for (const conn of [near, far])
    conn.on('subflow-close', ({ reason }: SubflowChange) => reasons.push(reason ?? '')).on('error', () => {})
  onTestFinished(async () => {
    near.destroy()
    far.destroy()
    await listener.close()
  })
  await until(() =>
    [near, far].every((conn) => conn.subflows().filter(({ state }) => state === 'up').length === 2),
  )
  const visit = async (...words: Uint8Array[]): Promise<Socket> => {
    await until(() => sniffer.cid !== undefined)
    const socket = connect(portOf(server), '127.0.0.1').on('error', () => {})
    onTestFinished(() => void socket.destroy())
    socket.write(Buffer.concat([encodeHello(sniffer.cid!), ...words]))
    return socket.resume()
  }
  return { near, far, sniffer, visit, reasons }
}

/** Frame 10, in which the dialer has yet to say something. */
const FORGED = Buffer.concat([ANNOUNCEMENT, Buffer.of(0, 0), encodeDataHeader(EVIL.length, 10), EVIL])

describe('who has sniffed a plain path', () => {
  it('puts bytes into the connection where joins are not proven', async () => {
    const { far, visit } = await scene('off')
    const heard: Buffer[] = []
    far.on('data', (chunk: Buffer) => heard.push(chunk))
    await visit(FORGED)
    await until(() => heard.length > 0)
    expect(Buffer.concat(heard)).toEqual(EVIL)
  })

  it('can neither join nor end the connection, nor put in a byte, nor take a path from it', async () => {
    const { near, far, visit, sniffer, reasons } = await scene('prefer')
    let bytes = 0
    let isTrue = true
    far.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      isTrue &&= chunk.every((byte) => byte === 7)
    })
    near.resume()
    const strangers = [await visit(FORGED)]
    near.write(Buffer.alloc(4 * MIB, 7))
    far.write(Buffer.alloc(MIB))
    strangers.push(
      await visit(ANNOUNCEMENT, encodeReset({ code: RESET.aborted })),
      await visit(ANNOUNCEMENT, Buffer.of(0, 4)),
      await visit(sniffer.said[0]!.subarray(17)),
    )
    for (let n = 0; n < 30; n++) strangers.push(await visit(FORGED))
    await until(() => strangers.every(({ destroyed }) => destroyed))
    near.end(Buffer.alloc(MIB, 7))
    far.end()
    await until(() => far.readableEnded && near.readableEnded)
    expect([bytes, isTrue]).toEqual([5 * MIB, true])
    expect(new Set(reasons)).toEqual(new Set(['unproven', 'closed']))
    expect([near.errored, far.errored]).toEqual([null, null])
  })
})
