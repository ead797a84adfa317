// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { describe, expectTypeOf, test } from 'vitest'
import type { MultipathConn } from '../../lib/index.js'
import { messages, MuxSession } from '../../lib/mux/index.js'
import type { MessageStream, MuxOptions, MuxStream } from '../../lib/mux/index.js'

declare const duplex: Duplex
declare const conn: MultipathConn

describe('MuxSession', () => {
  test('runs over any Duplex, and must know its role', () => {
    expectTypeOf(MuxSession).toBeConstructibleWith(duplex, { role: 'client' })
    expectTypeOf(MuxSession).toBeConstructibleWith(conn, { role: 'server', maxStreams: 5 })
    expectTypeOf<Omit<MuxOptions, 'role'>>().not.toExtend<MuxOptions>()
  })

  test('gives streams and figures', () => {
    const session = new MuxSession(duplex, { role: 'client' })
    expectTypeOf(session.open()).toEqualTypeOf<MuxStream>()
    expectTypeOf(session.accept()).resolves.toEqualTypeOf<MuxStream>()
    expectTypeOf(session.ping()).resolves.toBeNumber()
    expectTypeOf(session.streams).toBeNumber()
    session.on('close', (error) => expectTypeOf(error).toEqualTypeOf<Error | undefined>())
    session.on('stream', (stream) => expectTypeOf(stream).toEqualTypeOf<MuxStream>())
  })

  test('has streams with what is asked of a socket', () => {
    expectTypeOf<MuxStream>().toExtend<Duplex>()
    expectTypeOf<MuxStream>().toExtend<Pick<Socket, 'destroySoon' | 'bytesRead' | 'bytesWritten'>>()
  })
})

describe('messages', () => {
  test('are sent one by one', () => {
    expectTypeOf(messages(duplex)).toEqualTypeOf<MessageStream>()
    expectTypeOf(conn.messages({ maxMessageBytes: 5 })).toEqualTypeOf<MessageStream>()
    expectTypeOf<MessageStream['send']>().parameter(0).toEqualTypeOf<Uint8Array | string>()
  })
})
