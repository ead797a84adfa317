// SPDX-License-Identifier: Apache-2.0
/**
 * One process of a bursts run: `serve` counts connections and sends each line back; `dial` opens short connections,
 * so many at once, and tells what became of them. Both speak JSON lines.
 */
import { createServer as createNetServer, connect as netConnect } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect, createServer } from 'multipath-net'

interface Plan {
  readonly kind: 'ours' | 'net'
  readonly connections: number
  readonly atOnce: number
  readonly ports: readonly number[]
}

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** Sockets and servers of this process, by the handles that libuv has. */
function handles(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCP/.test(name)).length
}

function echo(conn: Duplex): void {
  conn.on('error', () => {})
  conn.pipe(conn)
}

async function serve(kind: Plan['kind'], paths: number): Promise<void> {
  let connections = 0
  const count = (conn: Duplex): void => {
    connections++
    echo(conn)
  }
  const ports: number[] = []
  const refused = new Map<string, number>()
  let live = (): number => 0
  if (kind === 'ours') {
    const server = createServer(count)
    const places = Array.from({ length: paths }, () => ({ host: '127.0.0.1', port: 0, backlog: 4096 }))
    await new Promise<void>((resolve) => server.listen(places, resolve))
    ports.push(...server.addresses().map(({ port }) => port))
    server.listener?.on('refused', (error) => {
      const code = (error as { code?: string }).code ?? error.message
      refused.set(code, (refused.get(code) ?? 0) + 1)
    })
    live = () => server.listener?.connections ?? 0
  } else {
    const server: Server = createNetServer({ allowHalfOpen: true }, count)
    await new Promise<void>((resolve) =>
      server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, resolve),
    )
    ports.push((server.address() as AddressInfo).port)
  }
  tell({ event: 'listening', ports })
  const idle = handles()
  process.stdin.on('data', () => {
    tell({ event: 'report', connections, live: live(), sockets: handles() - idle, refused: [...refused] })
  })
  process.stdin.on('end', () => process.exit(0))
}

function open({ kind, ports }: Plan): Duplex {
  if (kind === 'net') return netConnect({ host: '127.0.0.1', port: ports[0]!, allowHalfOpen: true })
  return connect({ paths: ports.map((port) => ({ host: '127.0.0.1', port })) })
}

/** One short connection: a few bytes there and back. @returns what went wrong */
function once(plan: Plan): Promise<string | undefined> {
  return new Promise((resolve) => {
    const conn = open(plan)
    let text = ''
    let failure: string | undefined
    conn.on('data', (chunk: Buffer) => (text += chunk.toString()))
    conn.on('error', (error: Error & { code?: string }) => (failure = error.code ?? error.message))
    conn.on('close', () => {
      resolve(failure ?? (text === 'hello' ? undefined : `got ${JSON.stringify(text)}`))
    })
    conn.end('hello')
  })
}

async function dial(plan: Plan): Promise<void> {
  const failures = new Map<string, number>()
  let begun = 0
  const startedAt = performance.now()
  const lane = async (): Promise<void> => {
    while (begun < plan.connections) {
      begun++
      const failure = await once(plan)
      if (failure !== undefined) failures.set(failure, (failures.get(failure) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: plan.atOnce }, lane))
  const seconds = (performance.now() - startedAt) / 1000
  await new Promise((resolve) => setTimeout(resolve, 200))
  tell({ event: 'done', seconds, failures: [...failures], sockets: handles() })
  process.exit(0)
}

const [role, json = '{}'] = process.argv.slice(2)
const plan = JSON.parse(json) as Plan & { paths: number }
await (role === 'serve' ? serve(plan.kind, plan.paths) : dial(plan))
