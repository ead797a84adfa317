// SPDX-License-Identifier: Apache-2.0
/** The control: a Duplex around a net.Socket, with its surface and without its handle. */
import type { Socket, Server } from 'node:net'
import { Duplex } from 'node:stream'
import { real } from './real-net.js'
import type { AnyServer, Listener, Options, Transport } from './transport.js'

const FORWARDED = ['connect', 'ready', 'lookup', 'timeout', 'connectionAttempt', 'connectionAttemptFailed']
const READ_ONLY = [
  ...['connecting', 'pending', 'readyState', 'timeout', 'bytesRead', 'bytesWritten', 'bufferSize'],
  ...['localAddress', 'localPort', 'localFamily', 'remoteAddress', 'remotePort', 'remoteFamily'],
  'autoSelectFamilyAttemptedAddresses',
]
const PASSED_ON = ['setNoDelay', 'setKeepAlive', 'ref', 'unref']

export function plainDuplex(): Transport {
  return {
    connect(...args) {
      const [options] = real._normalizeArgs(args)
      const duplex = new PlainDuplex(new real.Socket({ ...options, allowHalfOpen: true }), options)
      if (options['timeout']) duplex.setTimeout(options['timeout'] as number)
      return duplex.connect(...args)
    },
    socket: (options) => new PlainDuplex(new real.Socket({ ...options, allowHalfOpen: true }), options),
    createServer,
    socketPrototype: PlainDuplex.prototype,
    isSocket: (value) => value instanceof PlainDuplex,
    isServer: (value) => value instanceof real.Server,
  }
}

function createServer(options: Options, listener: Listener): AnyServer {
  const server: Server = real.createServer({ ...options, allowHalfOpen: true })
  const emit = server.emit.bind(server)
  server.emit = (event: string, ...args: unknown[]): boolean =>
    event === 'connection' ? emit(event, new PlainDuplex(args[0] as Socket, options)) : emit(event, ...args)
  if (listener) server.on('connection', listener)
  return server as unknown as AnyServer
}

class PlainDuplex extends Duplex {
  readonly inner: Socket

  constructor(inner: Socket, options: Options) {
    super({ allowHalfOpen: options['allowHalfOpen'] === true, emitClose: false })
    this.inner = inner
    for (const event of FORWARDED) inner.on(event, (...args: unknown[]) => this.emit(event, ...args))
    inner.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) inner.pause()
    })
    inner.on('end', () => {
      this.push(null)
      this.read(0)
    })
    inner.on('error', (error) => this.destroy(error))
    inner.on('close', () => this.destroy())
    inner.pause()
  }

  connect(...args: unknown[]): this {
    Reflect.apply(this.inner.connect, this.inner, args)
    return this
  }

  setTimeout(ms: number, listener?: () => void): this {
    this.inner.setTimeout(ms)
    if (listener !== undefined) this[ms === 0 ? 'off' : 'once']('timeout', listener)
    return this
  }

  address(): unknown {
    return this.inner.address()
  }

  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  resetAndDestroy(): this {
    this.inner.resetAndDestroy()
    return this
  }

  override _read(): void {
    this.inner.resume()
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.inner.write(chunk, encoding, callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.inner.end(callback)
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const done = (): void => {
      callback(error)
      process.nextTick(() => this.emit('close', error !== null))
    }
    if (this.inner.closed) done()
    else this.inner.once('close', done)
    this.inner.destroy()
  }
}

for (const name of READ_ONLY) {
  Object.defineProperty(PlainDuplex.prototype, name, {
    get(this: PlainDuplex) {
      return (this.inner as unknown as Options)[name]
    },
    set() {},
    configurable: true,
  })
}
for (const name of PASSED_ON) {
  Object.defineProperty(PlainDuplex.prototype, name, {
    value(this: PlainDuplex, ...args: unknown[]) {
      ;(this.inner as unknown as Record<string, (...args: unknown[]) => void>)[name]!(...args)
      return this
    },
    writable: true,
    configurable: true,
  })
}
