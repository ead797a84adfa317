// SPDX-License-Identifier: Apache-2.0
/** What is said of a peer that speaks something else, over real sockets. */
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { askStranger, describeStranger } from '../../../lib/cli/doctor/stranger.js'

/** What is said of a server that does this with whoever connects. */
async function said(serve: (socket: Socket) => unknown, waitMs?: number): Promise<string> {
  const server = createServer(serve).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const path = { label: '', host: '127.0.0.1', port, localAddress: '127.0.0.1' }
  return askStranger(path, new AbortController().signal, waitMs)
}

describe('of a stranger is told', () => {
  it('what it sends, however long it goes on, and what that looks like', async () => {
    expect(await said((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'))).toBe(
      'sent "SSH-2.0-OpenSSH_9.6\\x0d\\x0a", which looks like SSH',
    )
    expect(await said((socket) => socket.write('x'.repeat(1000)))).toBe(`sent "${'x'.repeat(48)}"…`)
  })

  it('that it sends back what it gets', async () => {
    expect(await said((socket) => socket.pipe(socket), 500)).toMatch(/, which looks like an echo server$/)
  })

  it('that it closes without a word', async () => {
    expect(await said((socket) => socket.resume().end())).toBe('closed the connection without an answer')
  })

  it('that it resets', async () => {
    expect(await said((socket) => socket.once('data', () => socket.resetAndDestroy()))).toMatch(/^failed: /)
  })

  it('that it says nothing', async () => {
    expect(await said((socket) => onTestFinished(() => void socket.destroy()), 100)).toBe(
      'sent nothing for 0.1 s',
    )
  })

  it('nothing once that is stopped', async () => {
    const path = { label: '', host: '127.0.0.1', port: 9, localAddress: undefined }
    expect(await askStranger(path, AbortSignal.abort())).toMatch(/stopped/)
  })
})

it.each([
  ['HTTP/1.1 400 Bad Request\r\n', /HTTP$/],
  ['\x15\x03\x03\x00\x02\x02\x0a', /^sent "\\x15\\x03\\x03.*TLS/],
  ['220 mail.example ESMTP', /SMTP or FTP$/],
  ['anything', /^sent "anything"$/],
])('describeStranger tells %j', (came, text) => {
  expect(describeStranger(Buffer.from(came, 'latin1'))).toMatch(text)
})
