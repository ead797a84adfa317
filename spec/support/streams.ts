// SPDX-License-Identifier: Apache-2.0
/** Processes of `multipath serve`, `forward` and `socks`, and servers and clients at their ends. */
import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { onTestFinished } from 'vitest'
import type { CliStart } from './cli-process.js'
import { CliProcess } from './cli-process.js'
import { listening, portOf } from './tcp.js'

const TOKEN = 'a token that only specs know'

/** Ends with the spec. With the token, unless `start` has another environment. */
export function command(args: readonly string[], start: CliStart = {}): CliProcess {
  const running = new CliProcess(args, { env: { MULTIPATH_TOKEN: TOKEN }, ...start })
  onTestFinished(() => running[Symbol.asyncDispose]())
  return running
}

export interface Listening {
  readonly cli: CliProcess
  readonly port: number
}

/** `multipath serve` on a port of loopback. */
export async function serve(args: readonly string[], start?: CliStart): Promise<Listening> {
  return listeningOn(command(['serve', '--listen', '127.0.0.1:0', ...args], start))
}

/** `multipath forward` of a port of loopback to `target`, by one path; it has a session when this resolves. */
export async function forward(
  to: number,
  target: string,
  args: readonly string[] = [],
  start?: CliStart,
): Promise<Listening> {
  const running = await listeningOn(
    command(['forward', '--to', at(to), '--local', `0=${target}`, ...args], start),
  )
  await running.cli.line(/connected to/)
  return running
}

/** `multipath socks` on a port of loopback; it has a session when this resolves. */
export async function socks(to: number, args: readonly string[] = [], start?: CliStart): Promise<Listening> {
  const running = await listeningOn(command(['socks', '--to', at(to), '--listen', '0', ...args], start))
  await running.cli.line(/connected to/)
  return running
}

async function listeningOn(cli: CliProcess): Promise<Listening> {
  const [, port] = await cli.line(/listening on \S+:(\d+)/)
  return { cli, port: Number(port) }
}

export function at(port: number): string {
  return `127.0.0.1:${port}`
}

/** A TCP server on loopback whose connections may be half open. */
export async function target(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onSocket(socket)
  })
  await listening(server)
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  return portOf(server)
}

/** A server that sends back what it gets. */
export function echo(): Promise<number> {
  return target((socket) => socket.pipe(socket))
}

/** A client that may be half open. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  onTestFinished(() => {
    socket.destroy()
  })
  await once(socket, 'connect')
  return socket
}

/** How a socket ends: by its error's code, or `closed`. */
export async function ending(socket: Socket): Promise<string> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  const error: NodeJS.ErrnoException | null = socket.errored
  return error?.code ?? 'closed'
}
