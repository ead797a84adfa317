// SPDX-License-Identifier: Apache-2.0
/** Plain TCP beside it: `serve` takes or sends bytes, as its client's first byte says; `dial DIRECTION MS` prints Mbit/s, without its first third. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'

export const PLAIN_PORT = 7900
const HOST = '10.77.0.2'
const CHUNK = Buffer.alloc(64 * 1024)
const SAMPLE_MS = 50

const [mode, direction, ms] = process.argv.slice(2)

function flood(socket: Socket): void {
  const write = (): void => {
    while (!socket.destroyed && socket.write(CHUNK));
  }
  socket.on('drain', write)
  write()
}

if (mode === 'serve') {
  createServer((socket) => {
    socket.on('error', () => {})
    let received = 0
    socket.once('data', (first: Buffer) => {
      if (String(first[0]) === String('d'.charCodeAt(0))) {
        flood(socket)
        return
      }
      // An upload is counted by who receives it, as an ack would tell.
      const timer = setInterval(() => socket.write(`${received}\n`), SAMPLE_MS)
      socket.on('data', (chunk: Buffer) => (received += chunk.length))
      socket.on('close', () => clearInterval(timer))
    })
  }).listen(PLAIN_PORT)
} else if (mode === 'dial') {
  const socket = connect(PLAIN_PORT, HOST)
  await once(socket, 'connect')
  socket.write(direction === 'download' ? 'd' : 'u')
  let bytes = 0
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    if (direction === 'download') bytes += chunk.length
    else {
      text = `${text}${String(chunk)}`.split('\n').slice(-2).join('\n')
      bytes = Number(text.split('\n')[0])
    }
  })
  if (direction === 'upload') flood(socket)
  const startedAt = performance.now()
  let from: { at: number; bytes: number } | undefined
  setInterval(() => {
    const at = performance.now() - startedAt
    if (at >= Number(ms) / 3) from ??= { at, bytes }
    if (at < Number(ms)) return
    console.log(((((bytes - from!.bytes) / (at - from!.at)) * 8) / 1000).toFixed(2))
    process.exit()
  }, SAMPLE_MS)
}
