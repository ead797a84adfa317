// SPDX-License-Identifier: Apache-2.0
/** The same code over node:net and over the facade: what happens at each end is written down, and compared. */
import { once } from 'node:events'
import * as net from 'node:net'
import type { Socket } from 'node:net'
import { connect, createServer, MultipathSocket } from '../../lib/index.js'
import { quiet, until } from '../support/turns.js'

/** Options of one end. */
export interface EndOptions {
  readonly allowHalfOpen?: boolean
}

/** Where a client is to go, as its API takes it, with whatever a scenario adds. */
export type Place = Record<string, unknown>

/** What differs between the two. */
export interface Api {
  readonly name: string
  /** Listens on loopback, and says where. */
  serve(options: EndOptions, onConnection: (socket: Socket) => void): Promise<{ place: Place; close(): void }>
  /** @param path - for the path, or for each */
  connect(place: Place, options?: object, path?: object, listener?: () => void): Socket
  /** One that is yet to be told to connect. */
  socket(options?: object): Socket
  /** Tells it. */
  connectSocket(socket: Socket, place: Place): Socket
}

const LOOPBACK = '127.0.0.1'

export const netApi: Api = {
  name: 'net',
  async serve(options, onConnection) {
    const server = net.createServer(options, onConnection)
    server.listen(0, LOOPBACK)
    await once(server, 'listening')
    return {
      place: { ports: [(server.address() as net.AddressInfo).port] },
      close: () => void server.close(),
    }
  },
  connect: ({ ports }, options = {}, path = {}, listener) =>
    net.connect({ host: LOOPBACK, port: (ports as number[])[0]!, ...options, ...path }, listener),
  socket: (options) => new net.Socket(options),
  connectSocket: (socket, { ports }) => socket.connect((ports as number[])[0]!, LOOPBACK),
}

export const facade: Api = {
  name: 'multipath-net',
  async serve(options, onConnection) {
    const server = createServer(options, onConnection as never)
    server.listen([0, 0].map((port) => ({ host: LOOPBACK, port })))
    await once(server, 'listening')
    const ports = server.addresses().map(({ port }) => port)
    return { place: { ports }, close: () => void server.close() }
  },
  connect: ({ ports }, options = {}, path = {}, listener) => {
    const paths = (ports as number[]).map((port) => ({ host: LOOPBACK, port, ...path }))
    const socket =
      listener === undefined ? connect({ paths, ...options }) : connect({ paths, ...options }, listener)
    return socket as unknown as Socket
  },
  socket: (options) => new MultipathSocket(options) as unknown as Socket,
  connectSocket: (socket, { ports }) => {
    const paths = (ports as number[]).map((port) => ({ host: LOOPBACK, port }))
    return (socket as unknown as MultipathSocket).connect({ paths }) as unknown as Socket
  },
}

export type Side = 'client' | 'server'

/** What one end has seen, in order; between the two ends there is no order. */
export type Logs = Record<Side, string[]>

const EVENTS = ['connect', 'ready', 'end', 'finish', 'timeout'] as const

/** Options of a pair. */
export interface PairInit {
  readonly client?: EndOptions
  readonly server?: EndOptions
  /** Ends whose bytes are read as they come. Default: both. */
  readonly reads?: readonly Side[]
}

/** What a scenario works with. */
export class World {
  readonly api: Api
  readonly logs: Logs = { client: [], server: [] }
  readonly #sockets: Socket[] = []
  readonly #closes: (() => void)[] = []

  constructor(api: Api) {
    this.api = api
  }

  note(side: Side, ...words: unknown[]): void {
    this.logs[side].push(words.map(String).join(' '))
  }

  /** Writes down what `socket` emits. Data is told of once, until something else happens. */
  watch(side: Side, socket: Socket, reads = true): Socket {
    const log = this.logs[side]
    this.#sockets.push(socket)
    for (const event of EVENTS) socket.on(event, () => log.push(event))
    socket.on('error', (error: NodeJS.ErrnoException) => log.push(`error ${error.code ?? error.message}`))
    socket.on('close', (hadError?: boolean) => log.push(`close ${hadError ?? false}`))
    if (!reads) return socket
    socket.on('data', (chunk: Buffer) => {
      const before = /^data (\d+)$/.exec(log.at(-1) ?? '')
      const bytes = chunk.length + (before === null ? 0 : Number(before[1]))
      log.splice(before === null ? log.length : log.length - 1, 1, `data ${bytes}`)
    })
    return socket
  }

  /** A server for one connection. */
  async serve(
    init: PairInit = {},
    onConnection: (socket: Socket) => void = () => {},
  ): Promise<{ place: Place; accepted: Promise<Socket> }> {
    let tell: (socket: Socket) => void = () => {}
    const accepted = new Promise<Socket>((resolve) => (tell = resolve))
    const { place, close } = await this.api.serve(init.server ?? {}, (socket) => {
      this.watch('server', socket, init.reads?.includes('server') ?? true)
      onConnection(socket)
      tell(socket)
    })
    this.#closes.push(close)
    return { place, accepted }
  }

  /** Both ends, connected. */
  async pair(
    init: PairInit = {},
    onConnection?: (socket: Socket) => void,
  ): Promise<[client: Socket, server: Socket]> {
    const { place, accepted } = await this.serve(init, onConnection)
    const client = this.client(place, init)
    const [server] = await Promise.all([accepted, once(client, 'connect')])
    return [client, server]
  }

  /** A client that is connecting. */
  client(place: Place, init: PairInit = {}, path?: object): Socket {
    const socket = this.api.connect(place, init.client ?? {}, path)
    return this.watch('client', socket, init.reads?.includes('client') ?? true)
  }

  /** A place where nobody listens. */
  async nowhere(): Promise<Place> {
    const { place, close } = await this.api.serve({}, () => {})
    close()
    await quiet()
    return place
  }

  /** Resolves once all of `sockets` are closed. */
  async closed(...sockets: Socket[]): Promise<void> {
    await until(() => sockets.every((socket) => socket.closed))
    await quiet()
  }

  /** Ours comes once all is acked, that of net once it has left: among what comes meanwhile it has no place. */
  finishAnyTime(): void {
    for (const log of Object.values(this.logs)) {
      log.sort((one, other) => Number(one === 'finish') - Number(other === 'finish'))
      // It may have come amid the data.
      for (let at = log.length - 1; at > 0; at--) {
        const [bytes, before] = [at, at - 1].map((place) => /^data (\d+)$/.exec(log[place]!)?.[1])
        if (bytes !== undefined && before !== undefined)
          log.splice(at - 1, 2, `data ${Number(before) + Number(bytes)}`)
      }
    }
  }

  end(): void {
    for (const socket of this.#sockets) socket.on('error', () => {}).destroy()
    for (const close of this.#closes) close()
  }
}

/** Code that works on either, and by what it is called. */
export type Scenario = readonly [name: string, run: (world: World) => Promise<unknown>]

/** What `run` has seen and returned over `api`. */
export async function seen(api: Api, run: Scenario[1]): Promise<{ logs: Logs; result: unknown }> {
  const world = new World(api)
  try {
    const result = await run(world)
    return { logs: { client: [...world.logs.client], server: [...world.logs.server] }, result }
  } finally {
    world.end()
  }
}
