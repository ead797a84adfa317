// SPDX-License-Identifier: Apache-2.0
/**
 * A router with three uplinks, a machine behind it that knows nothing of us, and servers beyond: they tell who asks them, which is
 * the machine itself (192.168.7.2) or `multipath serve`.
 */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Program } from '../../bench/shared/program.js'
import type { CliStart } from '../../spec/support/cli-process.js'
import { CliProcess } from '../../spec/support/cli-process.js'
import { ip } from './namespaces.js'
import { SERVER, Uplinks } from './uplinks.js'

export const LAN = '192.168.7.2'
export const ROUTER = '192.168.7.1'
/** Servers. */
export const IPV4 = '203.0.113.7'
export const OTHER = '198.51.100.7'
/** What only `serve` knows, and what only the name server beyond knows. */
export const NAME = 'web.example'
export const OTHER_NAME = 'other.test'
/** Of HTTP; the next one echoes, and the one behind it tells the address of a sender over UDP. */
const PORT = 80

const SERVE_PORT = 7391
const TOKEN = 'a token that only specs know'
const SERVERS = `
const { createServer } = require('node:http')
const net = require('node:net')
createServer((request, response) => response.end(request.socket.remoteAddress.replace('::ffff:', '')))
  .listen(${PORT}, '::', () => {
    net.createServer({ noDelay: true }, (socket) => socket.on('error', () => {}).pipe(socket)).listen(${PORT + 1}, '::', () => {
      const udp = require('node:dgram').createSocket('udp4')
      udp.on('message', (packet, { address, port }) => udp.send(packet + ' from ' + address, port, address)).bind(${PORT + 2})
      const dns = require('node:dgram').createSocket('udp4')
      dns.on('message', (query, { address, port }) => {
        const answer = Buffer.concat([query.subarray(0, query.indexOf(0, 12) + 5), Buffer.from('c00c000100010000003c0004', 'hex'), Buffer.from([198, 51, 100, 7])])
        answer.writeUInt16BE(0x8180, 2)
        answer.writeUInt32BE(0x00010000 + (query.readUInt16BE(query.indexOf(0, 12) + 1) === 1 ? 1 : 0), 4)
        answer.writeUInt32BE(0, 8)
        dns.send(query.readUInt16BE(query.indexOf(0, 12) + 1) === 1 ? answer : answer.subarray(0, -16), port, address)
      }).bind(53, '${SERVER}', () => console.log('ready'))
    })
  })
`

export class GatewayStage implements AsyncDisposable {
  readonly uplinks: Uplinks = new Uplinks(3)
  readonly folder: string = mkdtempSync(join(tmpdir(), 'multipath-gateway-'))
  readonly #lan: string = `lan-${process.pid}`
  readonly #running: AsyncDisposable[] = []

  async open(): Promise<void> {
    const [router, server] = [this.within.at(-1)!, this.uplinks.within('server').at(-1)!]
    ip('netns', 'add', this.#lan)
    ip('-n', this.#lan, 'link', 'set', 'lo', 'up')
    ip('link', 'add', 'lan0', 'netns', router, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.#lan)
    this.#link(router, 'lan0', ROUTER)
    this.#link(this.#lan, 'eth0', LAN)
    ip('-n', this.#lan, 'route', 'add', 'default', 'via', ROUTER)
    ip('-n', router, 'route', 'add', 'default', 'via', '10.83.1.1')
    ip('-n', server, 'route', 'add', `${LAN}/32`, 'via', '10.83.1.2')
    for (const address of [IPV4, OTHER]) ip('-n', server, 'address', 'add', `${address}/32`, 'dev', 'lo')
    execFileSync('ip', ['netns', 'exec', router, 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward'])
    writeFileSync(join(this.folder, 'hosts'), `127.0.0.1 localhost\n${IPV4} ${NAME}\n`)
    writeFileSync(join(this.folder, 'resolv.conf'), `nameserver ${OTHER}\n`)
    const rules = ['--allow-socks', '*:*', '--allow-private', '203.0.113.0/24']
    const exact = [IPV4, OTHER].flatMap((address) => [
      '--allow-socks',
      `${address}:*`,
      '--allow-socks',
      `udp:${address}:*`,
    ])
    const serve = new CliProcess(['serve', '--listen', `${SERVER}:${SERVE_PORT}`, ...rules, ...exact], {
      within: [...this.uplinks.within('server'), ...this.#mounting('hosts')],
      env: { MULTIPATH_TOKEN: TOKEN },
    })
    this.#running.push(serve)
    await serve.line(/listening/)
    const servers = new Program([...this.uplinks.within('server'), process.execPath, '-e', SERVERS])
    this.#running.push(servers)
    await servers.line(/ready/)
  }

  /** What to put before a command of the router. */
  get within(): string[] {
    return this.uplinks.within('client')
  }

  /** ... of the machine behind it. */
  get inLan(): string[] {
    return ['ip', 'netns', 'exec', this.#lan]
  }

  /** Paths to `serve` by all uplinks. */
  get to(): string[] {
    return [1, 2, 3].flatMap((uplink) => ['--to', `${SERVER}:${SERVE_PORT}@up${uplink}`])
  }

  /** `multipath` on the router. */
  start(args: readonly string[], { within = [], ...start }: CliStart = {}): CliProcess {
    const cli = new CliProcess(args, {
      ...start,
      within: [...this.within, ...within],
      env: { MULTIPATH_TOKEN: TOKEN, XDG_RUNTIME_DIR: this.folder },
    })
    this.#running.push(cli)
    return cli
  }

  /** A gateway that captures already. */
  async gateway(args: readonly string[], start?: CliStart): Promise<CliProcess> {
    const cli = this.start(['gateway', ...this.to, ...args], start)
    await cli.line(/are captured/)
    return cli
  }

  /** Who asks a server, as it sees it; or what curl says. */
  async asker(place: string, from: 'lan' | 'router' = 'lan'): Promise<string> {
    const words = ['curl', '-sS', '--noproxy', '*', '--max-time', '10', `http://${place}/`]
    const asked = await this.run([...this.#mounting('resolv.conf'), ...words], from)
    return asked === SERVER || asked === IPV4 || asked === OTHER ? 'serve' : asked
  }

  /** Standard output of a command, or what it says. */
  run(command: readonly string[], from: 'lan' | 'router' = 'lan'): Promise<string> {
    const [program, ...words] = [...(from === 'lan' ? this.inLan : this.within), ...command]
    return new Promise((resolve) => {
      execFile(program!, words, (error, stdout, stderr) => resolve((error ? stderr : stdout).trim()))
    })
  }

  /** What the kernel of the router holds for gateways: tables of nftables, and rules of routes. */
  async rules(): Promise<string[]> {
    const text = await this.run(
      ['sh', '-c', 'nft list tables; ip rule; ip -6 rule; ip route show table all'],
      'router',
    )
    return text.split('\n').filter((line) => /multipath|7090/.test(line))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#running.toReversed()) await one[Symbol.asyncDispose]()
    ip('netns', 'delete', this.#lan)
    this.uplinks[Symbol.dispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #link(namespace: string, name: string, address: string): void {
    ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', name)
    ip('-n', namespace, 'link', 'set', name, 'up')
  }

  /** `ip netns exec` gives each command mounts of its own. */
  #mounting(file: string): string[] {
    return ['sh', '-ec', `mount --bind "$0" /etc/${file}; exec "$@"`, join(this.folder, file)]
  }
}
