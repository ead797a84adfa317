// SPDX-License-Identifier: Apache-2.0
/**
 * Echoes from a machine behind `multipath gateway` over three emulated links, the best of which is silent for a while: how long they take
 * to a place with a policy of its own, and at the same time by plain TCP over the second link alone. A machine that stands still delays both. `npm run bench:gateway -- --scheduler redundant`; needs what `bench:links` needs, and nftables.
 */
import { execFileSync } from 'node:child_process'
import { Network } from '../links/network.js'
import { buildGo, LINKSIM } from '../shared/build.js'
import { optionsOf } from '../shared/options-of.js'
import { Program } from '../shared/program.js'

const values = optionsOf({
  seconds: { type: 'string', default: '10' },
  interval: { type: 'string', default: '10' },
  links: { type: 'string', default: '50/5,50/20,5/150' },
  from: { type: 'string', default: '3' },
  to: { type: 'string', default: '6' },
  cc: { type: 'string', default: 'cubic' },
  scheduler: { type: 'string', default: 'redundant' },
})

const PORT = 7800
const ECHO_PORT = 7
const WARM_UP = 200
const PLACE = '203.0.113.7'
const MAIN = 'dist/cli/main.js'
const TOKEN = { MULTIPATH_TOKEN: 'a token for measurements' }
const LAN = `gateway-lan-${process.pid}`

const SERVER = `require('node:net').createServer({ noDelay: true }, (socket) => socket.on('error', () => {}).pipe(socket))
.listen(${ECHO_PORT}, () => console.log('listening'))`
/**
 * One at a time; it says that it is warm, and is told when to begin. In the end it tells their number, and the median, the 99th
 * percentile and the worst in milliseconds.
 */
const CLIENT = `
const took = []
const socket = require('node:net').connect({ host: process.argv[1], port: ${ECHO_PORT}, noDelay: true })
let sentAt, begunAt
const send = () => { sentAt = performance.now(); socket.write(Buffer.alloc(64)) }
process.stdin.once('data', () => { begunAt = performance.now(); took.length = 0 })
socket.on('connect', send)
socket.on('data', () => {
  const now = performance.now()
  if (took.push(now - sentAt) === ${WARM_UP} && begunAt === undefined) console.log('warm')
  if (begunAt === undefined || now - begunAt < ${Number(values.seconds) * 1000}) { setTimeout(send, ${values.interval}); return }
  const sorted = took.toSorted((a, b) => a - b)
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))].toFixed(1)
  console.log(sorted.length + ' echoes: median ' + at(0.5) + ' ms, 99 % within ' + at(0.99) + ' ms, worst ' + at(1) + ' ms')
  process.exit()
})`

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** A machine behind the client of the links. */
function plugLan(network: Network): string[] {
  ip('netns', 'add', LAN)
  process.once('exit', () => ip('netns', 'delete', LAN))
  ip('link', 'add', 'lan0', 'netns', network.client, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', LAN)
  for (const [namespace, name, host] of [
    [network.client, 'lan0', 1],
    [LAN, 'eth0', 2],
  ] as const) {
    ip('-n', namespace, 'address', 'add', `192.168.7.${host}/24`, 'dev', name)
    ip('-n', namespace, 'link', 'set', name, 'up')
  }
  ip('-n', LAN, 'route', 'add', 'default', 'via', '192.168.7.1')
  return ['ip', 'netns', 'exec', LAN]
}

if (!buildGo('linksim', LINKSIM)) process.exit(1)
const links = values.links.split(',').map((link) => link.split('/').map(Number) as [number, number])
await using network = await Network.start({
  links: links.map(([rate, delay]) => `rate=${rate},delay=${delay}`),
  changes: [`${values.from} 0 down`, `${values.to} 0 up`],
  congestionControl: values.cc,
})
const inLan = plugLan(network)
network.ip('server', 'address', 'add', `${PLACE}/32`, 'dev', 'lo')
const multipath = (side: 'client' | 'server', ...args: string[]): string[] => [
  ...network.inside(side),
  ...[process.execPath, MAIN, ...args, '--no-ctl'],
]
await using echo = new Program([...network.inside('server'), process.execPath, '-e', SERVER])
await echo.line(/listening/)
const allowed = ['--allow-socks', `${PLACE}:*`]
await using serve = new Program(multipath('server', 'serve', '--listen', String(PORT), ...allowed), TOKEN)
await serve.line(/listening/)
const to = links.flatMap((_, link) => ['--to', `10.77.${link}.2:${PORT}`])
const match = ['--match', `${PLACE},scheduler=${values.scheduler}`]
await using gateway = new Program(
  multipath('client', 'gateway', ...to, ...match, '--interface', 'lan0'),
  TOKEN,
)
await gateway.line(/are captured/)
await gateway.line(new RegExp(`${links.length} of ${links.length} (paths )?up`))
const client = (within: string[], host: string): Program =>
  new Program([...within, process.execPath, '-e', CLIENT, host])
await using ours = client(inLan, PLACE)
await using plain = client(network.inside('client'), '10.77.1.2')
await ours.line(/warm/)
network.mark()
for (const one of [ours, plain]) one.say('begin')
const [line, beside] = await Promise.all(
  [ours, plain].map((one) => one.line(/echoes/, (Number(values.seconds) + 30) * 1000)),
)
console.log(
  `${values.scheduler}: ${line}; the link ${links[0]!.join('/')} was silent from ${values.from} s to ${values.to} s`,
)
console.log(`plain TCP over ${links[1]!.join('/')} alone: ${beside}`)
