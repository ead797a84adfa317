// SPDX-License-Identifier: Apache-2.0
/** Asks who answers at a place where no path can be opened. */
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { HostPort } from '../parse.js'

/** `unknown`: there is no answer, or its protocol is not one of these. */
export type Answerer = 'multipath' | 'tls' | 'http' | 'ssh' | 'unknown'

export interface ProbeOptions {
  readonly localAddress?: string | undefined
  readonly signal: AbortSignal
}

/** For each of three questions, milliseconds. */
const WAIT_MS = 1500
/** Version 0, and sixteen zeros that ask for a new connection. */
const HELLO = Buffer.alloc(17)
const ENOUGH_BYTES = 17

/** Asks in TLS, in the protocol of multipath, and in HTTP, at the same time. Never rejects. */
export async function whoAnswers({ host, port }: HostPort, options: ProbeOptions): Promise<Answerer> {
  const { localAddress, signal } = options
  const place = { host, port, ...(localAddress !== undefined && { localAddress }) }
  const [isTls, hello, http] = await Promise.all([
    speaksTls(
      () => connectTls({ ...place, rejectUnauthorized: false, ALPNProtocols: ['multipath/0'] }),
      signal,
    ),
    reply(() => connect(place), HELLO, signal),
    reply(() => connect(place), Buffer.from('GET / HTTP/1.0\r\n\r\n'), signal),
  ])
  if (isTls) return 'tls'
  if (hello.toString('latin1').startsWith('SSH-')) return 'ssh'
  if ([hello, http].some((said) => said.toString('latin1').startsWith('HTTP/'))) return 'http'
  const isMultipath =
    hello.length >= ENOUGH_BYTES && hello[0] === 0 && hello.subarray(1, 17).some((byte) => byte !== 0)
  return isMultipath ? 'multipath' : 'unknown'
}

function speaksTls(open: () => Socket, signal: AbortSignal): Promise<boolean> {
  return ask<boolean>(open, signal, false, (socket, settle) => {
    socket.once('secureConnect', () => settle(true))
  })
}

/** What is said in answer to `question`, as far as it has come. */
function reply(open: () => Socket, question: Buffer, signal: AbortSignal): Promise<Buffer> {
  let came: Buffer = Buffer.alloc(0)
  return ask<Buffer>(
    open,
    signal,
    () => came,
    (socket, settle) => {
      socket.write(question)
      socket.on('data', (chunk: Buffer) => {
        came = Buffer.concat([came, chunk])
        if (came.length >= ENOUGH_BYTES) settle(came)
      })
    },
  )
}

function ask<Result extends boolean | Buffer>(
  open: () => Socket,
  signal: AbortSignal,
  otherwise: Result | (() => Result),
  begin: (socket: Socket, settle: (result: Result) => void) => void,
): Promise<Result> {
  return new Promise((resolve) => {
    const socket = open()
    const settle = (result: Result): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
      socket.destroy()
      resolve(result)
    }
    const giveUp = (): void => settle(typeof otherwise === 'function' ? otherwise() : otherwise)
    const timer = setTimeout(giveUp, WAIT_MS)
    signal.addEventListener('abort', giveUp)
    socket.once('error', giveUp)
    socket.once('close', giveUp)
    begin(socket, settle)
    if (signal.aborted) giveUp()
  })
}
