// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { MeasureServer } from '../../../lib/cli/measure/serve-measure.js'
import { AllowList } from '../../../lib/cli/streams/allow-list.js'
import type { Resolve } from '../../../lib/cli/streams/dial-target.js'
import { greetAsClient } from '../../../lib/cli/streams/greet.js'
import { Log } from '../../../lib/cli/streams/log.js'
import { Lookups, MAX_LOOKUPS } from '../../../lib/cli/streams/lookups.js'
import { parseAllowRule } from '../../../lib/cli/streams/parse-rules.js'
import type { SessionLimits } from '../../../lib/cli/streams/sessions.js'
import { Sessions } from '../../../lib/cli/streams/sessions.js'
import type { StreamRequest } from '../../../lib/cli/streams/stream-request.js'
import { ANSWER_BYTES, decodeAnswer, encodeRequest } from '../../../lib/cli/streams/stream-request.js'
import { MAX_STRANGERS } from '../../../lib/cli/streams/strangers.js'
import { takeBytes } from '../../../lib/cli/streams/take-bytes.js'
import { Tasks } from '../../../lib/cli/streams/tasks.js'
import type { MuxStream } from '../../../lib/mux/index.js'
import { MuxSession } from '../../../lib/mux/index.js'
import { FakeCliIo } from '../../support/fake-cli-io.js'
import { MemoryStream } from '../../support/memory-path.js'
import { quiet, until } from '../../support/turns.js'

const LIMITS = { timeoutMs: 20_000 }
const datagrams = (): never => {
  throw new Error('nobody asks for UDP here')
}

interface Serving {
  readonly sessions: Sessions
  readonly io: FakeCliIo
  readonly join: (remoteAddress?: string) => MemoryStream
  /** By address. */
  readonly charged: Map<string | undefined, number>
}

function serving(maxStreams = 10, lookups: Lookups = new Lookups(10)): Serving {
  const io = new FakeCliIo()
  const charged: Serving['charged'] = new Map()
  const sessions = new Sessions({
    token: undefined,
    charge: (address, count = 1) => void charged.set(address, (charged.get(address) ?? 0) + count),
    allow: new AllowList({
      places: [],
      rules: [parseAllowRule('*:81')],
      privateRanges: [],
      isOwn: () => false,
    }),
    allowUdp: new AllowList({ places: [], rules: [], privateRanges: [], isOwn: () => false }),
    remote: [],
    maxSessions: 10,
    maxStreams,
    connectTimeout: 1000,
    lookups,
    measure: new MeasureServer(),
    tasks: new Tasks(),
    log: new Log(io, { isJson: false, isVerbose: false }),
  })
  const join = (remoteAddress?: string): MemoryStream => {
    const [client, server] = MemoryStream.pair()
    client.on('error', () => {})
    void sessions.take(
      Object.assign(server, {
        ...{ remoteAddress, datagrams },
        setLimits: () => {},
        resetAndDestroy: () => server.destroy(),
      }),
    )
    return client
  }
  return { sessions, io, join, charged }
}

async function client(join: () => MemoryStream): Promise<MuxSession> {
  const stream = join()
  await greetAsClient(stream, undefined, LIMITS)
  return new MuxSession(stream, { role: 'client', allowHalfOpen: true })
}

describe('strangers', () => {
  it('of one address make room, and not the one of another who came before them', async () => {
    const { sessions, io, join } = serving()
    const early = join('198.51.100.7')
    const crowd = Array.from({ length: 10 * MAX_STRANGERS }, () => join('203.0.113.9'))
    await quiet()
    expect(crowd.filter(({ peer }) => !peer.destroyed).length).toBeLessThan(MAX_STRANGERS)
    await greetAsClient(early, undefined, LIMITS)
    // The crowd keeps nobody out, and does not fill the log.
    expect((await client(() => join('198.51.100.8'))).isOpen).toBe(true)
    expect(io.lines.length).toBeLessThan(40)
    sessions.destroy()
    await sessions.close()
  })

  it('cost their address something where they are refused or greet wrongly, and nothing where they do well', async () => {
    const { sessions, join, charged } = serving()
    join('203.0.113.9').end(Buffer.alloc(64))
    for (let n = 0; n < 100; n++) join('203.0.113.10')
    join('203.0.113.11').destroy()
    const good = await client(() => join('198.51.100.7'))
    await until(() => charged.size === 3)
    expect(charged.get('203.0.113.9')).toBe(1)
    expect(charged.get('203.0.113.10')).toBeGreaterThan(60)
    expect(charged.get('203.0.113.11')).toBe(1)
    expect(good.isOpen).toBe(true)
    sessions.destroy()
    await sessions.close()
  })

  it('that were let in cost their address much where they break the limits of a session', async () => {
    const { join, charged } = serving(0)
    const session = await client(() => join('203.0.113.9'))
    for (let round = 0; round < 20; round++) {
      for (let n = 0; n < 100 && session.isOpen; n++) session.open().on('error', () => {})
      await quiet()
    }
    await until(() => charged.size > 0)
    expect([...charged]).toEqual([['203.0.113.9', 16]])
  })

  it('have little memory until they have greeted', async () => {
    const { sessions } = serving()
    const given: SessionLimits[] = []
    const [near, far] = MemoryStream.pair()
    void sessions.take(
      Object.assign(far, {
        ...{ remoteAddress: undefined, datagrams },
        setLimits: (limits: SessionLimits) => void given.push(limits),
        resetAndDestroy: () => {},
      }),
    )
    await quiet()
    expect(given).toEqual([])
    await greetAsClient(near, undefined, LIMITS)
    await until(() => given.length > 0)
    expect(given).toEqual([expect.objectContaining({ maxReorderBytes: 40 * 1024 * 1024 })])
    sessions.destroy()
  })

  it('are turned away once serve is stopped', async () => {
    const { sessions, join } = serving()
    const early = join()
    await sessions.close()
    await until(() => early.peer.destroyed)
    const late = join()
    await expect(
      greetAsClient(late, undefined, LIMITS).then(() => takeBytes(late, 1, LIMITS)),
    ).rejects.toThrow()
  })
})

describe('a stream', () => {
  async function answered(bytes: Uint8Array): Promise<string | undefined> {
    const { join } = serving()
    const session = await client(join)
    const stream = session.open()
    stream.on('error', () => {})
    stream.write(bytes)
    const answer = decodeAnswer(await takeBytes(stream, ANSWER_BYTES, LIMITS))
    session.destroy()
    return answer
  }

  it.each<[StreamRequest, string]>([
    [{ kind: 'connect', host: 'a.example', port: 80 }, 'not-allowed'],
    [{ kind: 'connect', host: 'a b', port: 80 }, 'not-allowed'],
    [{ kind: 'service', host: 'web', port: 0 }, 'not-allowed'],
    [{ kind: 'listen', host: '127.0.0.1', port: 80 }, 'not-allowed'],
    [{ kind: 'incoming', host: '127.0.0.1', port: 80 }, 'bad-request'],
  ])('that asks for %j is told %s', async (request, answer) => {
    expect(await answered(encodeRequest(request))).toBe(answer)
  })

  it('that asks for nothing known is told so', async () => {
    expect(await answered(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toBe('bad-request')
  })

  it('is refused while too many names are being looked up for its client, those that it gave up included', async () => {
    const asked: string[] = []
    const never: Resolve = (host) => {
      asked.push(host)
      return new Promise(() => {})
    }
    const { join } = serving(MAX_LOOKUPS, new Lookups(10, never))
    const session = await client(join)
    const ask = (host: string): MuxStream => {
      const stream = session.open()
      stream.on('error', () => {})
      stream.write(encodeRequest({ kind: 'connect', host, port: 81 }))
      return stream
    }
    const given = Array.from({ length: MAX_LOOKUPS }, (_, n) => ask(`${n}.example`))
    await until(() => asked.length === MAX_LOOKUPS)
    for (const stream of given) stream.resetAndDestroy()
    const answer = async (stream: MuxStream): Promise<string | undefined> =>
      decodeAnswer(await takeBytes(stream, ANSWER_BYTES, LIMITS))
    expect(await answer(ask('one-more.example'))).toBe('limit')
    const other = await client(join)
    other.open().write(encodeRequest({ kind: 'connect', host: 'one-more.example', port: 81 }))
    await until(() => asked.at(-1) === 'one-more.example')
    for (const end of [session, other]) end.destroy()
  })

  it('is refused beyond the limit, and the others go on', async () => {
    const { join } = serving(2)
    const session = await client(join)
    const streams = Array.from({ length: 3 }, () => session.open())
    for (const stream of streams) stream.on('error', () => {})
    const [first, second, third] = streams
    await until(() => third!.closed)
    expect(third!.errored).toMatchObject({ multipathCode: 'ERR_MULTIPATH_MUX_RESET' })
    expect([first!.closed, second!.closed]).toEqual([false, false])
    session.destroy()
  })
})
