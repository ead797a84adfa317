// SPDX-License-Identifier: Apache-2.0
/** A forward or a socks that runs, alone or as a part of `up`. */
import type { Server, Socket } from 'node:net'
import { oneLine } from '../cli-error.js'
import type { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import type { ClientFlags, SessionPlan } from './dial-session.js'
import { sessionPlan } from './dial-session.js'
import { drain } from './drain.js'
import type { Part } from './part.js'
import type { Client, ClientPlan, LocalPort } from './run-client.js'
import { listenLocally, withClient } from './run-client.js'
import { isSameToken } from './secrets.js'
import type { Stage } from './stage.js'

interface OpenPort {
  /** What serves the next connection. */
  port: LocalPort
  readonly server: Server
}

/** By address and port, and those of port 0, which the system chooses, by what they are for and their order. */
function byPlace(ports: readonly LocalPort[]): Map<string, LocalPort> {
  const named = new Map<string, LocalPort>()
  for (const port of ports) {
    const place = formatHostPort(port.bind)
    const name = port.bind.port === 0 ? `${place} for ${port.leadsTo}` : place
    let key = name
    for (let n = 2; named.has(key); n++) key = `${name} #${n}`
    named.set(key, port)
  }
  return named
}

export class ClientPart implements Part<ClientPart> {
  readonly #flags: ClientFlags
  readonly #plan: ClientPlan
  readonly #checked: SessionPlan
  /** @see byPlace */
  readonly #open = new Map<string, OpenPort>()
  #client: Client | undefined

  /** @throws {CliError} EXIT_USAGE for flags that do not go together */
  constructor(flags: ClientFlags, plan: ClientPlan, env: CliIo['env']) {
    this.#flags = flags
    this.#plan = plan
    this.#checked = sessionPlan(flags, env)
  }

  get places(): HostPort[] {
    return this.#plan.ports.map(({ bind }) => bind)
  }

  /** Runs until a signal, or until the other end says that it never will. @throws {CliError} */
  async run(stage: Stage, onReady: () => void): Promise<void> {
    const { signal, log } = stage
    const life = new AbortController()
    let closeMore = (): void => {}
    const stop = (): void => life.abort(signal.reason)
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    try {
      const needs = { stage, life, checked: this.#checked }
      await withClient(this.#flags, this.#plan, needs, async (client) => {
        this.#client = client
        for (const [name, port] of byPlace(this.#plan.ports))
          await this.#listen(name, port, stage.io.sockets().take(port.bind))
        if (this.#plan.more !== undefined) closeMore = await this.#plan.more.open(client)
        onReady()
        await client.keeper.run(life.signal)
        closeMore()
        if (life.signal.reason !== signal.reason) throw life.signal.reason
        const reason = signal.reason as CliError
        const servers = [...this.#open.values()].map(({ server }) => server)
        const { tasks, keeper: sessions } = client
        await drain({ reason, servers, tasks, sessions, timeoutMs: this.#flags.drain, log })
      })
    } finally {
      this.#client = undefined
      closeMore()
      for (const { server } of this.#open.values()) server.close()
      signal.removeEventListener('abort', stop)
    }
  }

  async change(next: ClientPart): Promise<string[]> {
    if (this.#client === undefined) return []
    const { opener, log } = this.#client
    const left = opener.change(next.#checked.plan)
    if (!isSameToken(this.#checked.token, next.#checked.token)) left.push('token-file')
    // Flows of UDP belong to their ports.
    if (this.#plan.more?.key !== next.#plan.more?.key) left.push('local')
    const wanted = byPlace(next.#plan.ports)
    for (const [name, { server, port }] of this.#open)
      if (!wanted.has(name)) {
        server.close()
        this.#open.delete(name)
        const place = formatHostPort(port.bind)
        log.info('closed', `no longer listening on ${place}`, { place })
      }
    for (const [name, port] of wanted) {
      const open = this.#open.get(name)
      if (open === undefined)
        await this.#listen(name, port).catch((error: unknown) =>
          log.warn('listen-failed', oneLine(error), { place: formatHostPort(port.bind) }),
        )
      else open.port = port
    }
    return left
  }

  async #listen(name: string, port: LocalPort, handle?: Socket): Promise<void> {
    const { take, log } = this.#client!
    const server = await listenLocally(
      port,
      (socket) => take(this.#open.get(name)?.port ?? port, socket),
      this.#flags.maxStreams,
      log,
      handle,
    )
    this.#open.set(name, { port, server })
  }
}
