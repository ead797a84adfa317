// SPDX-License-Identifier: Apache-2.0
/** Sockets that a service manager has opened for us (LISTEN_FDS of systemd): they stand in for ports that options name. */
import type { AddressInfo } from 'node:net'
import { Socket } from 'node:net'
import { CliError } from '../cli-error.js'
import { EXIT_USAGE } from '../exit-codes.js'
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'

type Env = NodeJS.ProcessEnv | Record<string, string | undefined>

/** The first descriptor that is handed over. */
const FIRST = 3
const MOST = 256

export class InheritedSockets {
  /** By their place. They accept nothing until a server is made of them. */
  readonly #holders = new Map<string, Socket>()

  /**
   * Takes them out of `env`, so that no program that is started from here takes them for its own.
   *
   * @throws {CliError} EXIT_USAGE for a descriptor that is no TCP socket
   */
  constructor(env: Env, pid: number = process.pid) {
    const count = Number(env['LISTEN_FDS'] ?? 0)
    const isOurs = Number(env['LISTEN_PID']) === pid
    for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']) Reflect.deleteProperty(env, name)
    if (!isOurs || !Number.isInteger(count)) return
    for (let fd = FIRST; fd < FIRST + Math.min(count, MOST); fd++) {
      const holder = holderOf(fd)
      this.#holders.set(placeOf(holder, fd), holder)
    }
  }

  /** What a server listens on instead of opening a port; `undefined` where no such socket was handed over. */
  take(place: { readonly host?: string | undefined; readonly port: number }): Socket | undefined {
    const names = [place.host ?? '::', ...(place.host === undefined ? ['0.0.0.0'] : [])]
    for (const host of names) {
      const name = formatHostPort({ host, port: place.port })
      const holder = this.#holders.get(name)
      this.#holders.delete(name)
      if (holder !== undefined) return holder
    }
    return undefined
  }

  /** All ports are open. @throws {CliError} EXIT_USAGE where one was handed over that no option names */
  refuseRest(): void {
    const rest = [...this.#holders.keys()]
    for (const holder of this.#holders.values()) holder.destroy()
    this.#holders.clear()
    if (rest.length > 0)
      throw new CliError(`the service manager hands over ${rest.join(', ')}, which no option names`, {
        exitCode: EXIT_USAGE,
        hint: 'give the same address in the unit of the socket and to the command',
      })
  }
}

function holderOf(fd: number): Socket {
  try {
    return new Socket({ fd, readable: false, writable: false })
  } catch (error) {
    throw new CliError(`descriptor ${fd} of the service manager is not a TCP socket`, {
      cause: error,
      exitCode: EXIT_USAGE,
    })
  }
}

function placeOf(holder: Socket, fd: number): string {
  const { address, port } = holder.address() as Partial<AddressInfo>
  if (address === undefined || port === undefined)
    throw new CliError(`descriptor ${fd} of the service manager is not a TCP socket`, {
      exitCode: EXIT_USAGE,
    })
  const place: HostPort = { host: address, port }
  return formatHostPort(place)
}
