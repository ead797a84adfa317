// SPDX-License-Identifier: Apache-2.0
/** The helper of `multipath run` inside the namespace: a process of its own, which ends with the command. */
import type { ChildProcess } from 'node:child_process'
import type { Socket as UdpSocket } from 'node:dgram'
import { spawn } from 'node:child_process'
import type { Server } from 'node:net'
import { connect, createServer, Socket } from 'node:net'
import { ignore } from '../../ignore.js'
import { Destinations } from './destinations.js'
import { NameTable } from './name-table.js'
import { serveNames } from './name-server.js'
import { UdpCatcher } from './catch-udp.js'
import type { FromInside, Start, ToInside } from './protocol.js'
import { CATCH_PORT, LINK } from './setup.js'
import { LENT_SIGNALS } from '../lent-signals.js'
import { SignalRelay } from './signal-relay.js'

const names = new NameTable()
const destinations = new Destinations(names)
let program: ChildProcess | undefined
/** Its name server needs what is set up meanwhile. */
let started: Promise<unknown> = Promise.resolve()
const relay = new SignalRelay({
  send: (name) => program?.kill(name),
  now: () => performance.now(),
})

function tell(message: FromInside, handle?: Server | Socket | UdpSocket, onSent: () => void = ignore): void {
  process.send?.(message, handle, undefined, onSent)
}

const udp = new UdpCatcher({ names, tell })

process.on('message', (message: ToInside) => {
  if (message.kind === 'start') started = serveNames(names).then(() => start(message))
  // A signal to the helper that came before this is told a round of the event loop later at the latest.
  else if (message.kind === 'signal')
    setImmediate(() => setImmediate(() => void started.then(() => relay.passOn(message.name))))
  else if (message.kind === 'connect') connectTo(message.id, message.port)
  else if (message.kind === 'udp-closed') udp.closed(message.address)
  else if (message.kind === 'trace') udp.traced(message.text)
  else
    void destinations
      .of(message.accepted)
      .then((destination) => tell({ kind: 'destination', id: message.id, destination }))
})

// The command has ended: nothing leads out any more. Node does not tell of a closed channel while a socket is on its way through it.
new Socket({ fd: LINK })
  .on('error', ignore)
  .once('close', () => {
    program?.kill('SIGTERM')
    process.exit()
  })
  .resume()

for (const name of LENT_SIGNALS) process.on(name, () => relay.heard(name))

function start({ words: [command = '', ...words], env }: Start): void {
  program = spawn(command, words, { env, stdio: 'inherit' })
  program.once('spawn', () => tell({ kind: 'started', pid: program!.pid! }))
  program.once('error', ({ code = '', message }: NodeJS.ErrnoException) =>
    tell({ kind: 'not-started', code, message }),
  )
  program.once('exit', (code, signal) => tell({ kind: 'ended', code, signal }))
}

function connectTo(id: number, port: number): void {
  const socket = connect({ port, host: 'localhost', noDelay: true })
  // What comes is for the command.
  socket.pause()
  socket.once('error', () => tell({ kind: 'connected', id }))
  socket.once('connect', () => tell({ kind: 'connected', id }, socket))
}

// Once it is closed here, no connection can be accepted here.
const server = createServer().listen(CATCH_PORT, () => tell({ kind: 'ready' }, server, () => server.close()))
udp.open()
