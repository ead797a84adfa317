// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import type { Origins, WebSocketServerOptions } from '../../lib/index.js'
import { webSocketServer } from '../../lib/index.js'
import { listening } from '../support/tcp.js'

const OURS = 'https://example.org'
const ANSWER = { port: 0, host: '127.0.0.1' }

/** 101 for a WebSocket that opens, or the status of the refusal. */
async function answerTo(
  origin: string | undefined,
  options: Partial<WebSocketServerOptions>,
): Promise<number> {
  const acceptor = await webSocketServer({ ...(options.server === undefined && ANSWER), ...options })
  onTestFinished(() => {
    acceptor.close()
  })
  let streams = 0
  acceptor.on('connection', (stream) => {
    streams++
    stream.on('error', () => {}).resume()
  })
  const { port } = acceptor.address() as AddressInfo
  const socket = new WebSocket(`ws://127.0.0.1:${port}/any`, origin === undefined ? {} : { origin })
  socket.on('error', () => {})
  const status = await new Promise<number>((resolve) => {
    socket.once('open', () => resolve(101))
    socket.once('unexpected-response', (_request: unknown, { statusCode }: IncomingMessage) => {
      resolve(statusCode ?? 0)
    })
  })
  socket.terminate()
  expect(streams).toBe(status === 101 ? 1 : 0)
  return status
}

describe('a WebSocket server', () => {
  it('takes programs, which have no origin, whatever the origins are', async () => {
    expect(await answerTo(undefined, {})).toBe(101)
    expect(await answerTo(undefined, { origins: () => false })).toBe(101)
  })

  it('refuses every page of the web unless told otherwise, its own host name included', async () => {
    expect(await answerTo(OURS, {})).toBe(403)
    const shared = await listening(createServer())
    const { port } = shared.address() as AddressInfo
    expect(await answerTo(`http://127.0.0.1:${port}`, { server: shared })).toBe(403)
  })

  it.each([
    [OURS, 101],
    ['https://example.org.evil.example', 403],
    ['http://example.org', 403],
    ['https://example.org:8443', 403],
    ['null', 403],
  ])('with a list of origins answers %s with %i', async (origin, status) => {
    expect(await answerTo(origin, { origins: ['https://other.example', OURS] })).toBe(status)
  })

  it.each<[string, Origins, number]>([
    ['says yes', (origin) => origin.endsWith('.org'), 101],
    ['looks at the request', (_origin, { url }) => url === '/any', 101],
    ['says no', () => false, 403],
    ['throws', () => new URL('not one').host === '', 403],
    ['promises something', (async () => true) as never, 403],
  ])('asks a function, and where it %s does so', async (_what, origins, status) => {
    expect(await answerTo(OURS, { origins })).toBe(status)
  })

  it.each([[OURS], [['example.org']], [['https://example.org/']], [['null']], [[5]], [{}]])(
    'with %j for origins is refused',
    async (origins) => {
      await expect(webSocketServer({ ...ANSWER, origins: origins as never })).rejects.toThrow(
        expect.objectContaining({ multipathCode: 'ERR_MULTIPATH_OPTION' }) as Error,
      )
    },
  )
})
