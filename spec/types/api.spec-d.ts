// SPDX-License-Identifier: Apache-2.0
import { lookup } from 'node:dns/promises'
import { on, once } from 'node:events'
import type { Server, TcpNetConnectOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Server as TlsServer } from 'node:tls'
import { describe, expectTypeOf, test } from 'vitest'
import {
  connect,
  createServer,
  interfacePaths,
  MultipathDialer,
  MultipathListener,
  NullTracker,
  proxyDialer,
  readVarInt,
  tcpDialer,
  tlsDialer,
  unixDialer,
  varIntLen,
  webSocketDialer,
  writeVarInt,
} from '../../lib/index.js'
import type {
  ConnEvents,
  DialOptions,
  DialerOptions,
  PathSource,
  ErrorCode,
  ListenerOptions,
  MultipathConn,
  MultipathError,
} from '../../lib/index.js'
import type {
  PathFailureEvent,
  PathStats,
  StatsTracker,
  SubflowChange,
  SubflowDialer,
  SubflowEventName,
  SubflowServer,
  VarInt,
  WebSocketAcceptor,
} from '../../lib/index.js'
import { MuxSession } from '../../lib/mux/index.js'

declare const signal: AbortSignal

describe('SubflowDialer', () => {
  test('is an object with a label and a way to get a Duplex', () => {
    const own = {
      label: 'own',
      dial: (_options: { signal: AbortSignal }): Promise<Duplex> => Promise.reject(new Error()),
    }
    expectTypeOf(own).toExtend<SubflowDialer>()
    expectTypeOf<SubflowDialer['dial']>().toEqualTypeOf<(options: DialOptions) => Promise<Duplex>>()
    expectTypeOf<SubflowDialer['tracker']>().toExtend<StatsTracker | undefined>()
  })

  test('has a label that nobody changes', () => {
    expectTypeOf<Pick<SubflowDialer, 'label'>>().toEqualTypeOf<{ readonly label: string }>()
  })
})

describe('tcpDialer', () => {
  test('takes what net.connect takes, a label and a tracker', () => {
    expectTypeOf<TcpNetConnectOpts & { label?: string; tracker?: StatsTracker }>().toExtend<
      Parameters<typeof tcpDialer>[0]
    >()
    expectTypeOf(tcpDialer({ port: 1, host: 'a', localAddress: 'b', family: 4 })).toExtend<SubflowDialer>()
  })

  test('needs a port', () => {
    // @ts-expect-error a path over TCP has a port
    tcpDialer({ host: 'a' })
  })
})

describe('the other transports', () => {
  test('make dialers too', () => {
    expectTypeOf(tlsDialer).returns.toEqualTypeOf<SubflowDialer>()
    expectTypeOf(tlsDialer).toBeCallableWith({ port: 1, ca: 'a', servername: 'b', fingerprints: ['c'] })
    expectTypeOf(unixDialer).toBeCallableWith({ path: 'a', tier: 'backup' })
    expectTypeOf(webSocketDialer).toBeCallableWith({ url: 'ws://a', headers: { b: 'c' }, ca: 'd' })
    expectTypeOf(proxyDialer).toBeCallableWith({ proxy: 'socks5://a', host: 'b', port: 1, label: 'c' })
  })

  test('need to know where to', () => {
    // @ts-expect-error TLS needs a port
    tlsDialer({ host: 'a' })
    // @ts-expect-error a Unix socket has a path
    unixDialer({})
    // @ts-expect-error a WebSocket has a URL
    webSocketDialer({ headers: {} })
    // @ts-expect-error there is a proxy to name
    proxyDialer({ host: 'a', port: 1 })
  })
})

describe('MultipathDialer', () => {
  test('is made of a destination, dialers and options', () => {
    expectTypeOf(MultipathDialer).toBeConstructibleWith('a', [tcpDialer({ port: 1 })])
    expectTypeOf<ConstructorParameters<typeof MultipathDialer>>().toEqualTypeOf<
      [destination: string, paths: readonly SubflowDialer[] | PathSource, options?: DialerOptions | undefined]
    >()
  })

  test('is a SubflowDialer itself', () => {
    expectTypeOf<MultipathDialer>().toExtend<SubflowDialer>()
  })

  test('dials with or without a signal', () => {
    expectTypeOf<MultipathDialer['dial']>().toBeCallableWith()
    expectTypeOf<MultipathDialer['dial']>().toBeCallableWith({ signal })
    expectTypeOf<MultipathDialer['dial']>().returns.toEqualTypeOf<Promise<MultipathConn>>()
  })

  test('tells its figures as text and as data', () => {
    expectTypeOf<MultipathDialer['formatStats']>().toEqualTypeOf<() => string[]>()
    expectTypeOf<MultipathDialer['stats']>().toEqualTypeOf<() => PathStats[]>()
  })
})

describe('MultipathListener', () => {
  test('takes TCP, TLS and WebSocket servers, trackers and options', () => {
    expectTypeOf<TlsServer>().toExtend<Server>()
    expectTypeOf<Server>().toExtend<SubflowServer>()
    expectTypeOf<WebSocketAcceptor>().toExtend<SubflowServer>()
    expectTypeOf<ConstructorParameters<typeof MultipathListener>>().toEqualTypeOf<
      [
        servers: readonly (Server | SubflowServer)[],
        trackers?: readonly StatsTracker[] | undefined,
        options?: ListenerOptions | undefined,
      ]
    >()
  })

  test('accepts by call and by for await', () => {
    expectTypeOf<MultipathListener['accept']>().toBeCallableWith()
    expectTypeOf<MultipathListener['accept']>().toBeCallableWith({ signal })
    expectTypeOf<MultipathListener['accept']>().returns.toEqualTypeOf<Promise<MultipathConn>>()
    expectTypeOf<MultipathListener>().toExtend<AsyncIterable<MultipathConn>>()
  })

  test('closes by call and by await using', () => {
    expectTypeOf<MultipathListener['close']>().toEqualTypeOf<() => Promise<void>>()
    expectTypeOf<MultipathListener>().toExtend<AsyncDisposable>()
  })
})

describe('MultipathConn', () => {
  test('is a Duplex that can be awaited at its end', () => {
    expectTypeOf<MultipathConn>().toExtend<Duplex>()
    expectTypeOf<MultipathConn>().toExtend<AsyncDisposable>()
    expectTypeOf<MultipathConn['flushed']>().toEqualTypeOf<() => Promise<void>>()
  })

  test('has the switches of net.Socket', () => {
    expectTypeOf<MultipathConn['ref']>().returns.toEqualTypeOf<MultipathConn>()
    expectTypeOf<MultipathConn['unref']>().returns.toEqualTypeOf<MultipathConn>()
    expectTypeOf<MultipathConn['setTimeout']>().toBeCallableWith(1_000, () => {})
    expectTypeOf<MultipathConn['setNoDelay']>().toBeCallableWith(true)
    expectTypeOf<MultipathConn['setKeepAlive']>().toBeCallableWith(true, 1_000)
  })

  test("comes in Go's shape too", () => {
    type NetConn = ReturnType<MultipathConn['netConn']>
    expectTypeOf<NetConn['read']>().toEqualTypeOf<(into: Uint8Array) => Promise<number>>()
    expectTypeOf<NetConn['write']>().toEqualTypeOf<(bytes: Uint8Array) => Promise<number>>()
    expectTypeOf<NetConn['close']>().toEqualTypeOf<() => Promise<void>>()
    expectTypeOf<NetConn['setDeadline']>().parameters.toEqualTypeOf<[deadline: Date | null]>()
    expectTypeOf<NetConn['setReadDeadline']>().parameters.toEqualTypeOf<[deadline: Date | null]>()
    expectTypeOf<NetConn['setWriteDeadline']>().parameters.toEqualTypeOf<[deadline: Date | null]>()
    expectTypeOf<NetConn>().toHaveProperty('localAddr')
    expectTypeOf<NetConn>().toHaveProperty('remoteAddr')
  })
})

describe('StatsTracker', () => {
  test('has exactly four callbacks', () => {
    expectTypeOf<StatsTracker>().toEqualTypeOf<{
      onRecv(bytes: number): void
      onSent(bytes: number): void
      onRetransmit(bytes: number): void
      updateRTT(milliseconds: number): void
    }>()
  })

  test('is what NullTracker does nothing as', () => {
    expectTypeOf<NullTracker>().toExtend<StatsTracker>()
    expectTypeOf(NullTracker).toBeConstructibleWith()
  })
})

describe('the codec', () => {
  test('is three functions over bytes and numbers', () => {
    expectTypeOf(varIntLen).toEqualTypeOf<(value: number) => 1 | 2 | 4 | 8>()
    expectTypeOf(readVarInt).toEqualTypeOf<(bytes: Uint8Array, at?: number) => VarInt | undefined>()
    expectTypeOf(writeVarInt).toEqualTypeOf<(into: Uint8Array, value: number, at?: number) => number>()
  })
})

describe('interfacePaths', () => {
  test('gives a source of paths, over any transport', () => {
    const source = interfacePaths({
      host: 'peer.example',
      port: 1,
      pathOptions: ({ interfaceName }) => ({ label: interfaceName, tier: 'backup' }),
      dial: ({ host, port, localAddress }, path) => tlsDialer({ ...path, host, port, localAddress }),
    })
    expectTypeOf(source).toEqualTypeOf<PathSource>()
    expectTypeOf(connect).toBeCallableWith({ paths: source })
    expectTypeOf(interfacePaths).toBeCallableWith({ host: 'peer.example', port: 1, lookup })
  })
})

describe('the facade', () => {
  test('connects and serves as node:net does', () => {
    expectTypeOf(connect).toBeCallableWith({ paths: [{ port: 1 }, tcpDialer({ port: 2 })] }, () => {})
    expectTypeOf(connect).returns.toExtend<MultipathConn>()
    expectTypeOf(createServer).toBeCallableWith()
    expectTypeOf(createServer).toBeCallableWith((conn: MultipathConn) => conn.end())
  })
})

describe('MultipathError', () => {
  test('carries one code of a closed set, and the one that programs for net know', () => {
    expectTypeOf<MultipathError['multipathCode']>().toEqualTypeOf<ErrorCode>()
    expectTypeOf<MultipathError['code']>().toEqualTypeOf<string>()
    expectTypeOf<ErrorCode>().toExtend<`ERR_MULTIPATH_${string}`>()
    // A plain string would accept a misspelt code in a comparison.
    expectTypeOf<string>().not.toExtend<ErrorCode>()
    expectTypeOf<MultipathError>().toExtend<Error>()
  })
})

describe('events', () => {
  const conn = connect({ port: 1 })
  const dialer = new MultipathDialer('a', [tcpDialer({ port: 1 })])

  test('of a connection are typed by name, for every way to listen', () => {
    for (const listen of ['on', 'once', 'off', 'addListener', 'removeListener'] as const) {
      conn[listen]('subflow-close', (change) => expectTypeOf(change).toEqualTypeOf<SubflowChange>())
      conn[listen]('resumed', ({ durationMs }) => expectTypeOf(durationMs).toEqualTypeOf<number>())
      conn[listen]('close', (hadError) => expectTypeOf(hadError).toEqualTypeOf<boolean>())
    }
    conn.prependListener('subflow-open', ({ label }) => expectTypeOf(label).toEqualTypeOf<string>())
    conn.prependOnceListener('error', (error) => expectTypeOf(error).toEqualTypeOf<Error>())
    expectTypeOf<keyof ConnEvents>().toExtend<string>()
    expectTypeOf<SubflowEventName>().toExtend<keyof ConnEvents>()
  })

  test('of a connection refuse a listener for another payload', () => {
    // @ts-expect-error a change is no text
    conn.on('subflow-close', (change: string) => change)
    // @ts-expect-error it comes in an object
    conn.on('resumed', (ms: number) => ms)
  })

  test('of a connection pass as those of a Duplex and of net.Socket do', () => {
    conn.on('error', (error: NodeJS.ErrnoException) => error.code)
    conn.on('data', (chunk: Buffer) => chunk.length)
    conn.on('lookup', (_error: Error | null, address: string) => address)
    void new Promise((resolve) => conn.once('connect', resolve))
    const name = 'end' as string | symbol
    conn.on(name, () => {})
    expectTypeOf(conn).toExtend<Duplex>()
    expectTypeOf(conn).toExtend<NodeJS.EventEmitter>()
  })

  test('can be awaited, of a connection, a dialer, a listener and a session', () => {
    const listener = new MultipathListener([])
    const session = new MuxSession(conn, { role: 'client' })
    for (const emitter of [conn, dialer, listener, session]) {
      expectTypeOf(emitter).toExtend<NodeJS.EventEmitter>()
      expectTypeOf(once(emitter, 'subflow-open')).resolves.toExtend<unknown[]>()
      expectTypeOf(on(emitter, 'subflow-open')).toExtend<AsyncIterable<unknown[]>>()
    }
  })

  test('of a dialer are typed, and unknown names refused', () => {
    dialer.prependListener('path-failure', (failure) => {
      expectTypeOf(failure).toEqualTypeOf<PathFailureEvent>()
    })
    // @ts-expect-error there is no such event
    dialer.prependListener('path-failed', () => {})
  })
})
