// SPDX-License-Identifier: Apache-2.0
/** net.Socket of the replaced net. */
import { isCalledBy, real } from './real-net.js'
import type { Options, Transport } from './transport.js'

export interface SocketClass {
  new (options?: Options): object
  prototype: object
}

export function socketClass(transport: Transport): SocketClass {
  function Socket(this: unknown, options?: Options): object {
    // Node's own, which have a handle: pipes of child processes, terminals, and what TLS makes of ours.
    if (this instanceof real.Socket) return Reflect.apply(real.Socket, this, [options]) as object
    if (hasHandle(options)) return new real.Socket(options)
    const socket = transport.socket(typeof options === 'object' ? options : {})
    if (![undefined, Socket].includes(new.target))
      Object.setPrototypeOf(socket, (new.target as { prototype: object }).prototype)
    return socket
  }
  Socket.prototype = transport.socketPrototype
  // TLS expects a handle of what is a net.Socket, and wraps what is not.
  const hasInstance = (value: unknown): boolean =>
    value instanceof real.Socket || (transport.isSocket(value) && !isCalledBy('node:_tls_wrap'))
  Object.defineProperty(Socket, Symbol.hasInstance, { value: hasInstance })
  return Socket as unknown as SocketClass
}

function hasHandle(options: Options | undefined): boolean {
  return options?.['handle'] !== undefined || options?.['fd'] !== undefined
}
