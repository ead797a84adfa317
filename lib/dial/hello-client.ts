// SPDX-License-Identifier: Apache-2.0
/** The dialer's half of the handshake. Go: dialer.go, handshake. */
import type { Duplex } from 'node:stream'
import type { Millis } from '../clock.js'
import type { Hello, ReadHelloInit } from '../conn/hello-io.js'
import { readHello } from '../conn/hello-io.js'
import { RemoteProtocolError } from '../errors.js'
import { cidKey, encodeHello, isZeroCid } from '../wire/hello.js'
import { ignore } from '../ignore.js'

const NO_WORDS = new Uint8Array(0)

export interface ClientHello extends Hello {
  /** When ours left. */
  readonly helloAt: Millis
}

/**
 * Says hello with `cid` (all zero asks for a new connection) and waits for the answer. Closes the stream
 * where that fails; beyond the errors of readHello: ERR_MULTIPATH_UNEXPECTED_CID.
 *
 * @param words - said right behind it, before the answer
 */
export async function sayHello(
  stream: Duplex,
  cid: Uint8Array,
  init: ReadHelloInit,
  words: Uint8Array = NO_WORDS,
): Promise<ClientHello> {
  const helloAt = init.clock.now()
  const answer = readHello(stream, init)
  // In one write: a Go listener reads nothing else until it has all of them.
  if (stream.writable) stream.write(Buffer.concat([encodeHello(cid), words]))
  const hello = await answer
  const isRight = isZeroCid(cid) ? !isZeroCid(hello.cid) : cidKey(cid) === cidKey(hello.cid)
  if (isRight) return { ...hello, helloAt }
  stream.on('error', ignore)
  stream.destroy()
  throw new RemoteProtocolError('the listener answered with a different CID', 'ERR_MULTIPATH_UNEXPECTED_CID')
}
