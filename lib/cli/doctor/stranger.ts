// SPDX-License-Identifier: Apache-2.0
/** What a peer that is no multipath listener says for itself. */
import { connect } from 'node:net'
import type { PathPair } from '../plan-paths.js'

/** Version 0, and sixteen zeros that ask for a new connection. */
const HELLO = Buffer.alloc(17)
const WAIT_MS = 2000
const SHOWN_BYTES = 48

/** Says hello once more and tells what came instead of an answer; never rejects. */
export function askStranger(path: PathPair, signal: AbortSignal, waitMs: number = WAIT_MS): Promise<string> {
  const { host, port, localAddress } = path
  return new Promise((resolve) => {
    const socket = connect({ host, port, ...(localAddress !== undefined && { localAddress }) })
    let came = Buffer.alloc(0)
    const over = (how: string): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', signalOnAbort)
      socket.destroy()
      resolve(came.length > 0 ? describeStranger(came) : how)
    }
    const signalOnAbort = (): void => over('sent nothing before doctor was stopped')
    const timer = setTimeout(over, waitMs, `sent nothing for ${waitMs / 1000} s`)
    signal.addEventListener('abort', signalOnAbort)
    if (signal.aborted) signalOnAbort()
    socket.on('error', ({ message }) => over(`failed: ${message}`))
    socket.on('end', () => over('closed the connection without an answer'))
    socket.on('data', (chunk: Buffer) => {
      came = Buffer.concat([came, chunk])
      if (came.length >= SHOWN_BYTES) over('')
    })
    socket.write(HELLO)
  })
}

/** What has come, and which protocol that looks like. */
export function describeStranger(came: Buffer): string {
  const text = came.toString('latin1')
  const known = KINDS.find(({ beginning }) => beginning.some((one) => text.startsWith(one)))?.name
  const shown = came
    .subarray(0, SHOWN_BYTES)
    .toString('latin1')
    .replaceAll(/[^ -~]/g, escaped)
  return `sent "${shown}"${came.length > SHOWN_BYTES ? '…' : ''}${known === undefined ? '' : `, which looks like ${known}`}`
}

const KINDS: readonly { readonly beginning: readonly string[]; readonly name: string }[] = [
  { beginning: ['SSH-'], name: 'SSH' },
  { beginning: ['HTTP/'], name: 'HTTP' },
  // An alert or a handshake: RFC 8446, section 5.1.
  { beginning: ['\x15\x03', '\x16\x03'], name: 'TLS: give --tls, --tls-ca or --tls-fingerprint' },
  { beginning: ['220 ', '220-'], name: 'SMTP or FTP' },
  { beginning: [HELLO.toString('latin1')], name: 'an echo server' },
]

function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}
