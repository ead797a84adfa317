// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { greetAsClient, greetAsServer, GreetingError } from '../../../lib/cli/streams/greet.js'
import { encodeGreeting, GREETING_BYTES, PROOF_BYTES } from '../../../lib/cli/streams/greeting.js'
import { takeBytes } from '../../../lib/cli/streams/take-bytes.js'
import { MemoryStream } from '../../support/memory-path.js'

const LIMITS = { timeoutMs: 20_000 }
const TOKEN = randomBytes(32)
const admit = (): void => {}

function pair(): [client: MemoryStream, server: MemoryStream] {
  const both = MemoryStream.pair()
  for (const stream of both) stream.on('error', () => {})
  return both
}

/** What came of both sides: `ok`, or what they throw. */
async function greeted(ours: Uint8Array | undefined, theirs: Uint8Array | undefined): Promise<string[]> {
  const [client, server] = pair()
  const outcome = (work: Promise<void>, stream: MemoryStream): Promise<string> =>
    work.then(
      () => 'ok',
      (error: unknown) => {
        expect(error).toBeInstanceOf(GreetingError)
        stream.end()
        return (error as Error).message
      },
    )
  return Promise.all([
    outcome(greetAsClient(client, ours, LIMITS), client),
    outcome(greetAsServer(server, theirs, LIMITS, admit), server),
  ])
}

describe('two ends that greet', () => {
  it('with the same token, or both without, go on; what follows the greeting is left in the stream', async () => {
    expect(await greeted(TOKEN, Buffer.from(TOKEN))).toEqual(['ok', 'ok'])
    expect(await greeted(undefined, undefined)).toEqual(['ok', 'ok'])
    const [client, server] = pair()
    const greeting = greetAsServer(server, undefined, LIMITS, admit)
    client.write(
      Buffer.concat([encodeGreeting({ hasToken: false, nonce: randomBytes(32) }), Buffer.from('more')]),
    )
    await greeting
    expect(String(await takeBytes(server, 4, LIMITS))).toBe('more')
  })

  it.each([[undefined], [TOKEN]])('leave a client ungreeted where there is no place', async (token) => {
    const [client, server] = pair()
    const full = (): never => {
      throw new Error('too many')
    }
    const greeting = greetAsClient(client, token, LIMITS)
    await expect(greetAsServer(server, token, LIMITS, full)).rejects.toThrow('too many')
    server.end()
    await expect(greeting).rejects.toThrow(/ended too early/)
  })

  it('with different tokens, or one without, do not', async () => {
    expect(await greeted(TOKEN, randomBytes(32))).toEqual([
      'the other end has a different token',
      'a client has a different token',
    ])
    expect((await greeted(undefined, TOKEN))[1]).toBe('a client has no token')
    expect(await greeted(TOKEN, undefined)).toEqual([
      'the other end has no token and cannot prove its identity',
      'a client requires a token, and this server has none',
    ])
  })
})

describe('a server that greets', () => {
  it('shows no proof before it has seen the right one', async () => {
    const [client, server] = pair()
    const greeting = greetAsServer(server, TOKEN, LIMITS, admit)
    client.write(encodeGreeting({ hasToken: true, nonce: randomBytes(32) }))
    await takeBytes(client, GREETING_BYTES, LIMITS)
    client.write(Buffer.alloc(PROOF_BYTES))
    await expect(greeting).rejects.toThrow('a different token')
    expect((await takeBytes(client, 1 + PROOF_BYTES, LIMITS)).equals(Buffer.alloc(1 + PROOF_BYTES))).toBe(
      true,
    )
  })

  it('does not take its own proof, nor one of another session, for the proof of a client', async () => {
    const [client, server] = pair()
    const greeting = greetAsServer(server, TOKEN, LIMITS, admit)
    const nonce = randomBytes(32)
    client.write(encodeGreeting({ hasToken: true, nonce }))
    await takeBytes(client, GREETING_BYTES, LIMITS)
    // Another server of the same token answers the nonces of somebody else.
    const [honest, other] = pair()
    const elsewhere = Promise.all([
      greetAsServer(other, TOKEN, LIMITS, admit),
      greetAsClient(honest, TOKEN, LIMITS),
    ])
    const sent: Buffer[] = []
    const write = honest.write.bind(honest)
    honest.write = ((chunk: Buffer) => {
      sent.push(Buffer.from(chunk))
      return write(chunk)
    }) as typeof honest.write
    await elsewhere
    client.write(sent.at(-1)!)
    await expect(greeting).rejects.toThrow('a different token')
  })

  it('gives up what says nothing, or something else', async () => {
    const [, server] = pair()
    await expect(greetAsServer(server, undefined, { timeoutMs: 1 }, admit)).rejects.toThrow(
      /no data arrived within/,
    )
    const [client, busy] = pair()
    client.write('GET / HTTP/1.1\r\nHost: somewhere.example\r\n\r\n')
    await expect(greetAsServer(busy, undefined, LIMITS, admit)).rejects.toThrow(/does not speak this version/)
    const [leaver, left] = pair()
    leaver.end('mpstream')
    await expect(greetAsServer(left, undefined, LIMITS, admit)).rejects.toThrow(/ended too early/)
  })
})
