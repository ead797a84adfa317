// SPDX-License-Identifier: Apache-2.0
/** net.Server of the replaced net. */
import { EventEmitter } from 'node:events'
import type { AnyServer, Listener, Options, Transport } from './transport.js'

export interface ServerClass {
  new (options?: unknown, listener?: unknown): object
  prototype: object
}

const INNER = Symbol('the server below')
const EVENTS = ['listening', 'connection', 'close', 'error', 'drop']
const METHODS = ['address', 'close', 'getConnections', 'listen', 'ref', 'unref', Symbol.asyncDispose] as const
const PROPERTIES = [
  'listening',
  'maxConnections',
  'dropMaxConnection',
  'connections',
  'allowHalfOpen',
  'pauseOnConnect',
]

interface Outer extends EventEmitter {
  [INNER]: AnyServer
}

/**
 * A class that may be called without `new`, too, on an http.Server or tls.Server: those pass everything on to a server
 * of the transport. A plain one is the transport's own.
 */
export function serverClass(transport: Transport): ServerClass {
  function Server(this: unknown, options?: unknown, listener?: unknown): object {
    const [settings, onConnection] = arguments_(options, listener)
    const isPlain = (new.target as unknown) === Server || !(this instanceof Server)
    if (isPlain) return transport.createServer(settings, onConnection)
    return wrap(this as Outer, transport.createServer(settings, undefined), onConnection)
  }
  Server.prototype = prototype()
  const hasInstance = (value: unknown): boolean =>
    Object.prototype.isPrototypeOf.call(Server.prototype, Object(value)) || transport.isServer(value)
  Object.defineProperty(Server, Symbol.hasInstance, { value: hasInstance })
  return Server as unknown as ServerClass
}

function arguments_(options: unknown, listener: unknown): [Options, Listener] {
  if (typeof options === 'function') return [{}, options as Listener]
  return [(options ?? {}) as Options, listener as Listener]
}

function wrap(outer: Outer, inner: AnyServer, onConnection: Listener): Outer {
  Reflect.apply(EventEmitter, outer, [])
  Object.defineProperty(outer, INNER, { value: inner })
  for (const event of EVENTS) inner.on(event, (...args: unknown[]) => outer.emit(event, ...args))
  if (typeof onConnection === 'function') outer.on('connection', onConnection)
  return outer
}

function prototype(): object {
  const result = Object.create(EventEmitter.prototype) as object
  for (const name of METHODS) {
    const value = function (this: Outer, ...args: unknown[]): unknown {
      const inner = this[INNER] as unknown as Record<PropertyKey, (...args: unknown[]) => unknown>
      const answer = inner[name]!(
        ...args.map((arg) => (typeof arg === 'function' ? (arg as () => unknown).bind(this) : arg)),
      )
      return (answer as object) === inner ? this : answer
    }
    Object.defineProperty(result, name, { value, writable: true, configurable: true })
  }
  for (const name of PROPERTIES) {
    Object.defineProperty(result, name, {
      get(this: Outer) {
        return (this[INNER] as Options | undefined)?.[name]
      },
      set(this: Outer, value: unknown) {
        ;(this[INNER] as Options)[name] = value
      },
      configurable: true,
    })
  }
  return result
}
