// SPDX-License-Identifier: Apache-2.0
/**
 * How each `world=` block of the documents is run. A script gets the lines of its block, runs every one of them as it
 * stands, and throws where one of them does not do what its page says.
 */
import assert from 'node:assert/strict'
import type { ExampleStage } from './example-stage.js'
import { HAS_GROUPS } from './example-world.js'

export type Script = (stage: ExampleStage, lines: string[], code: string) => Promise<void>

const SERVES = /listening on/
const CONNECTED = /connected to serve/
/** On port 7000 of the server, an echo. */
const ECHO = 'multipath nc -l -k -p 7000 --relay localhost:22'
const TO_ECHO = [
  "import { text } from 'node:stream/consumers'",
  "const echo = async (conn) => { conn.end('hello'); if (await text(conn) !== 'hello') process.exit(1) }",
].join('\n')

/** Measuring takes its time, and a page need not say that a spec has none. */
const brief = (line: string): string => line.replace(/( > \S+)?$/, ' --seconds 0.5$1')

/** Several at once, since each waits for most of its time. */
async function measure(stage: ExampleStage, ...all: readonly string[]): Promise<void> {
  for (const said of await Promise.all(all.map((line) => stage.run(brief(line)))))
    assert.match(said, /Mbit\/s/)
}

/** A server for what the pages ask for. */
async function serve(stage: ExampleStage, ...options: readonly string[]): Promise<void> {
  const allow = ['web=localhost:8080', 'localhost:5432', 'db.internal:5432', 'udp:10.0.0.1:53']
  const rules = allow.map((rule) => `--allow ${rule}`).join(' ')
  const line = `multipath serve --listen 7000 --listen 7001 ${rules} --allow-socks '*:80,443' --allow-remote 8022`
  await stage.start(`${line} ${options.length === 0 ? '--insecure' : options.join(' ')}`, SERVES, 'there')
}

/** The same secret on both machines. */
async function share(stage: ExampleStage): Promise<void> {
  await stage.run('openssl rand -hex 32 > secret')
  stage.carry('secret')
}

/** A certificate on the server, which the client trusts. */
function certify(stage: ExampleStage): void {
  stage.take('crt.pem', 'crt.pem', 'there')
  stage.take('key.pem', 'key.pem', 'there')
  stage.take('crt.pem', 'ca.pem')
}

/** A network behind this machine. */
async function addLan(stage: ExampleStage): Promise<void> {
  const lan = 'ip link add lan0 type veth peer name lan1 && ip address add 192.168.7.1/24 dev lan0'
  await stage.run(`${lan} && ip link set lan0 up && ip link set lan1 up`)
}

/** A gateway that starts with its rules. */
const captures: Script = async (stage, [gateway]) => {
  await share(stage)
  stage.write('token', stage.read('secret'))
  await serve(stage, '--token-file secret')
  await addLan(stage)
  await stage.stop(await stage.start(gateway!, CONNECTED))
  await stage.run('ip link delete lan0')
}

const get = (stage: ExampleStage, ...args: readonly string[]): Promise<string> =>
  stage.run(['curl', '--silent', '--show-error', '--max-time', '20', ...args].join(' '))

/** The code of a block as a program of Node, with what its page leaves to the reader. */
async function runProgram(stage: ExampleStage, before: string, code: string, after = ''): Promise<string> {
  stage.write('main.mjs', [before, code, after].join('\n'))
  return stage.run('node main.mjs')
}

const README: Readonly<Record<string, Script>> = {
  async measure(stage, [install, doctor, speed]) {
    assert.equal(install, 'npm install --global multipath-net') // The world has run it.
    await stage.start('multipath speed serve --listen 7000', SERVES, 'there')
    await measure(stage, doctor!, speed!)
  },

  async tunnel(stage, [secret, server, forward, socks, run]) {
    await stage.run(secret!)
    stage.carry('secret')
    await stage.start(server!, SERVES, 'there')
    await Promise.all([stage.start(forward!, CONNECTED), stage.start(socks!, CONNECTED)])
    assert.equal(await get(stage, 'http://localhost:8080/a'), 'the page /a\n')
    for (const proxy of ['socks5h', 'http'])
      assert.equal(
        await get(stage, '--proxy', `${proxy}://localhost:1080`, 'https://example.org/'),
        'the site\n',
      )
    assert.match(await stage.run(run!), /the site/)
  },

  async go(stage, _lines, code) {
    await stage.start(ECHO, SERVES, 'there')
    const said = await runProgram(stage, '', code)
    assert.match(said, /wifi/)
    assert.match(said, /lte/)
  },
}

const CLI: Readonly<Record<string, Script>> = {
  async nc(stage, [receive, send, chosen, relay, unpack, keep, tiers, measure]) {
    stage.write('file', 'a file\n')
    const receiver = await stage.start(receive!, SERVES, 'there')
    await stage.run(tiers!)
    await stage.ended(receiver)
    assert.equal(stage.read('file', 'there'), 'a file\n')

    const relaying = await stage.start(relay!, SERVES, 'there')
    assert.match(await stage.run(chosen!), /^a file$/m)
    await stage.ended(relaying)

    await stage.run('tar czf file.tgz file && mv file.tgz file && rm -f ../there/file')
    const unpacking = await stage.start(unpack!, SERVES, 'there')
    await stage.run(send!)
    await stage.ended(unpacking)
    assert.equal(stage.read('file', 'there'), 'a file\n')

    const keeping = await stage.start(keep!, SERVES, 'there')
    await stage.stop(keeping)
    await stage.start('multipath nc -l -b -p 4000', SERVES, 'there')
    const measuring = await stage.start(`exec ${measure!}`, /Mbit\/s/)
    assert.equal(await stage.stop(measuring, 'SIGINT'), 0)
  },

  async serve(stage, servers) {
    await share(stage)
    certify(stage)
    for (const server of servers) await stage.stop(await stage.start(server, SERVES, 'there'))
  },

  async forward(stage, [web, uplinks, names, remote]) {
    await serve(stage)
    await Promise.all([web!, uplinks!, names!, remote!].map((line) => stage.start(line, CONNECTED)))
    assert.equal(await get(stage, 'http://localhost:8080/b'), 'the page /b\n')
  },

  async socks(stage, [socks, npm, apt, logins]) {
    await serve(stage)
    const first = await stage.start(socks!, CONNECTED)
    assert.equal(
      await get(stage, '--proxy', 'socks5h://127.0.0.1:1080', 'https://example.org/'),
      'the site\n',
    )
    stage.write('package.json', '{}')
    await stage.run(npm!)
    await stage.run(apt!)
    await stage.stop(first)
    stage.write('proxy.logins', 'anna:a long password\n')
    await stage.start(logins!, CONNECTED)
    const login = ['--proxy', 'http://localhost:1080', '--proxy-user', "'anna:a long password'"]
    assert.equal(await get(stage, ...login, 'http://example.org/'), 'the site\n')
  },

  async gateway(stage, [plan, matched, chosen, clean]) {
    await serve(stage)
    await addLan(stage)
    assert.match(await stage.run(plan!), /203\.0\.113\.0\/24/)
    await stage.stop(await stage.start(matched!, CONNECTED))
    if (HAS_GROUPS) await stage.stop(await stage.start(chosen!, CONNECTED))
    else await assert.rejects(stage.run(chosen!), /SETGID/)
    await stage.run(`${clean!} && ip link delete lan0`)
  },

  async up(stage, [print, up, check]) {
    await serve(stage)
    await stage.run(print!)
    await stage.run(check!)
    await stage.start(up!, CONNECTED)
    assert.equal(await get(stage, 'http://localhost:8080/c'), 'the page /c\n')
  },

  async run(stage, [curl, clone, shell, published]) {
    await serve(stage)
    assert.match(await stage.run(curl!), /the site/)
    await stage.run(clone!)
    assert.match(stage.read('repository/.git/config'), /example\.org/)
    assert.match(await stage.run(`echo 'curl -s http://example.org/' | ${shell}`), /the site/)
    const answer =
      "require('node:http').createServer((_, r) => r.end('mine')).listen(3000, () => console.log('up'))"
    stage.write('program.cjs', answer)
    stage.write('package.json', '{ "scripts": { "start": "node program.cjs" } }')
    await stage.start(published!, /^up$/m)
    assert.equal(await get(stage, 'http://127.0.0.1:3000/'), 'mine')
  },

  async status(stage, [all, one]) {
    await serve(stage)
    await stage.start('multipath forward --to gw:7000 --local 8080=web', CONNECTED)
    assert.match(await stage.run(all!), /forward/)
    const list = await stage.run('multipath ctl list')
    const [name] = /forward-\d+/.exec(list)!
    assert.match(await stage.run(one!.replace('forward-1234', name)), /^\{/)
  },

  async monitor(stage, [only, several]) {
    await stage.start('multipath serve --listen 7100 --allow localhost:22 --insecure', SERVES)
    await Promise.all([only!, several!].map((line) => stage.watch(line, /7100|serve/)))
  },

  async ctl(stage, [list, pause, set, add, choose, events, trace]) {
    await serve(stage)
    await stage.start('multipath forward --to gw:7000 --to gw:7001@10.64.3.7 --local 8080=web', CONNECTED)
    assert.match(await stage.run(list!), /forward-\d+/)
    for (const line of [pause!, set!, add!, choose!]) await stage.run(line)
    assert.match(await stage.run('multipath status'), /10\.64\.3\.7\|\S+:7002/)
    await stage.run(trace!)
    await get(stage, 'http://localhost:8080/')
    await stage.run('multipath ctl trace off && multipath trace forward.trace > forward.svg')
    await stage.start('multipath serve --listen 7100 --allow localhost:22 --insecure', SERVES)
    let isHeard = false
    const heard = stage.start(events!, /\S/).then(() => (isHeard = true))
    const session = 'multipath forward --to localhost:7100 --local 8022=localhost:22'
    while (!isHeard) await stage.stop(await stage.start(session, CONNECTED))
    await heard
  },

  async doctor(stage, [plain, secured, quiet, one, json]) {
    await share(stage)
    certify(stage)
    await stage.start('multipath speed serve --listen 4000', SERVES, 'there')
    await serve(stage, '--token-file secret --tls-cert crt.pem --tls-key key.pem')
    await Promise.all([measure(stage, plain!, secured!, one!), stage.run(quiet!), stage.run(brief(json!))])
    assert.ok(JSON.parse(stage.read('paths.json')))
  },

  async speed(stage, [server, all, two, secured, json]) {
    await share(stage)
    certify(stage)
    const first = await stage.start(server!, SERVES, 'there')
    await Promise.all([measure(stage, all!, two!), stage.run(json!.replace('--seconds 2', '--seconds 0.5'))])
    assert.ok(JSON.parse(stage.read('speed.json')))
    await stage.stop(first)
    await serve(stage, '--token-file secret --tls-cert crt.pem --tls-key key.pem')
    await measure(stage, secured!)
  },

  async 'speed-serve'(stage, servers) {
    await share(stage)
    for (const line of servers) await stage.stop(await stage.start(line, SERVES, 'there'))
  },

  async trace(stage, [traced, draw, third]) {
    await stage.start('multipath nc -l -k -p 4000 --relay localhost:22', SERVES, 'there')
    stage.write('file', 'a file\n')
    await stage.run(traced!)
    await stage.run(draw!)
    assert.match(stage.read('nc.svg'), /^<svg|^<\?xml/)
    for (let run = 0; run < 3; run++)
      await stage.run(
        'MULTIPATH_TRACE=one.trace multipath nc host:4000 < file && cat one.trace >> server.trace && rm one.trace',
      )
    await stage.run(third!)
    assert.match(stage.read('third.svg'), /svg/)
  },
}

const CTL: Readonly<Record<string, Script>> = {
  async steer(stage, [status, monitor, pause, set, trace]) {
    await serve(stage)
    await stage.start('multipath forward --to gw:7000 --to gw:7001@10.64.3.7 --local 8080=web', CONNECTED)
    assert.match(await stage.run(status!), /gw:7001@10\.64\.3\.7/)
    await stage.watch(monitor!, /gw:7000/)
    for (const line of [pause!, set!, trace!]) await stage.run(line)
    assert.match(await stage.run('multipath status'), /paused/)
    await stage.run('multipath ctl trace off')
    assert.match(stage.read('forward.trace'), /"ev":"open"/)
  },

  async web(stage, [forward]) {
    await serve(stage)
    const started = await stage.start(forward!, CONNECTED)
    assert.match(started.said, /http:\/\/127\.0\.0\.1:8090\/#token=/)
    assert.match(await get(stage, 'http://127.0.0.1:8090/'), /<title>/)
  },
}

const OTHERS: Readonly<Record<string, Script>> = {
  async 'docs/operation.md home'(stage, _lines, code) {
    await share(stage)
    certify(stage)
    stage.take('crt.pem', 'gw.pem')
    stage.write('token', stage.read('secret'))
    stage.write('home.yaml', code)
    await serve(stage, '--token-file secret --tls-cert crt.pem --tls-key key.pem')
    const up = await stage.start('multipath up home.yaml', CONNECTED)
    await stage.until(up, /1080[^]*connected to serve[^]*connected to serve/)
    assert.equal(await get(stage, 'http://localhost:8080/d'), 'the page /d\n')
    assert.match(await get(stage, 'http://localhost:9464/metrics'), /^# HELP/m)
  },

  async 'docs/datagrams.md wireguard'(stage, [server, forward]) {
    await share(stage)
    const echo = "socket.on('message', (packet, { address, port }) => socket.send(packet, port, address))"
    const bind = "socket.bind(51820, '127.0.0.1', () => console.log('bound'))"
    const socket = "const socket = require('node:dgram').createSocket('udp4')"
    stage.write('echo.cjs', [socket, echo, bind].join('\n'), 'there')
    await Promise.all([
      stage.start('node echo.cjs', /bound/, 'there'),
      stage.start(server!, SERVES, 'there'),
      stage.start(forward!, CONNECTED),
    ])
    const show = "socket.on('message', (packet) => { console.log(String(packet)); socket.close() })"
    stage.write('ask.cjs', [socket, show, "socket.send('a packet', 51820, '127.0.0.1')"].join('\n'))
    assert.equal(await stage.run('node ask.cjs'), 'a packet\n')
  },

  'docs/gateway.md router': captures,
  'docs/gateway.md udp': captures,

  async 'docs/paths.md routes'(stage, rules) {
    for (const rule of rules) await stage.run(rule)
    assert.match(await stage.run('ip route get 10.81.9.1 from 10.64.3.7'), /via 10\.64\.0\.1 dev wwan0/)
    assert.match(await stage.run('ip rule'), /from 192\.168\.1\.20 lookup 101/)
  },

  async 'docs/trace.md draw'(stage, [traced, draw]) {
    await stage.start(ECHO, SERVES, 'there')
    const dial = "await echo(connect({ paths: [{ host: 'backup.example', port: 7000 }] }))"
    stage.write('package.json', '{ "type": "module" }')
    stage.write('backup.js', ["import { connect } from 'multipath-net'", TO_ECHO, dial].join('\n'))
    await stage.run(traced!)
    await stage.run(draw!)
    assert.match(stage.read('backup.svg'), /svg/)
  },

  async 'docs/trace.md option'(stage, _lines, code) {
    await stage.start(ECHO, SERVES, 'there')
    const before = "import { MultipathDialer, tcpDialer } from 'multipath-net'\n"
    const paths = "const paths = [tcpDialer({ host: 'backup.example', port: 7000 })]"
    await runProgram(stage, `${before}${TO_ECHO}\n${paths}`, code, 'await echo(await dialer.dial())')
    assert.match(stage.read('backup.trace'), /"ev":"open"/)
  },

  async 'docs/fleet.md balanced'(stage, _lines, code) {
    await stage.start(ECHO, SERVES, 'there')
    const before = `import { connect } from 'multipath-net'\n${TO_ECHO}`
    await runProgram(stage, before, code.replace('connect(', 'const conn = connect('), 'await echo(conn)')
  },

  async 'docs/integrations.md paths'(stage, _lines, code) {
    await stage.start(ECHO, SERVES, 'there')
    const before = `import { connect } from 'multipath-net'\n${TO_ECHO}`
    await runProgram(stage, before, code, 'await echo(connect({ paths }))')
  },

  async 'docs/integrations.md relay'(stage, [relay]) {
    await stage.start(relay!, SERVES, 'there')
    assert.match(await stage.run("printf 'a query' | multipath nc server.example:7000"), /a query/)
  },

  async 'docs/integrations.md agents'(stage, _lines, code) {
    const https = 'multipath nc -l -k -p 443 --relay example.org:443'
    await stage.start(https, SERVES, 'there')
    const names = ['interfacePaths', 'multipath-net', 'HttpsAgent', 'multipath-net/http']
    const before = [
      `import { ${names[0]} } from '${names[1]}'`,
      `import { ${names[2]} } from '${names[3]}'`,
      "import https from 'node:https'",
      "import { text } from 'node:stream/consumers'",
    ].join('\n')
    const after = [
      "const answer = await new Promise((got, failed) => https.get('https://server.example/', { agent }, got).on('error', failed))",
      'console.log(await text(answer))',
      'agent.destroy()',
    ].join('\n')
    assert.match(await runProgram(stage, before, code, after), /the site/)
  },

  async 'docs/integrations.md proxy'(stage, [socks, program]) {
    await share(stage)
    await serve(stage, '--token-file secret')
    stage.write(
      'program.js',
      "fetch('https://example.org/').then((answer) => answer.text()).then(console.log)",
    )
    await stage.start(socks!.replace(/ &$/, ''), CONNECTED)
    assert.match(await stage.run(program!), /the site/)
  },

  async 'docs/policies.md options'(stage, _lines, code) {
    await stage.start(ECHO, SERVES, 'there')
    await runProgram(stage, TO_ECHO, code, 'await echo(await dialer.dial())')
  },

  async 'SECURITY.md join'(stage, _lines, code) {
    const before =
      "import { createServer } from 'node:net'\nimport { MultipathListener } from 'multipath-net'"
    const after = 'await new MultipathListener([createServer().listen(0)], [], { authorizeJoin }).close()'
    await runProgram(stage, before, code, after)
  },
}

const onPage = (page: string, scripts: Readonly<Record<string, Script>>): [string, Script][] =>
  Object.entries(scripts).map(([name, script]) => [`${page} ${name}`, script])

/** By page and name, such as `docs/cli.md nc`. */
export const SCRIPTS: ReadonlyMap<string, Script> = new Map([
  ...onPage('README.md', README),
  ...onPage('docs/cli.md', CLI),
  ...onPage('docs/ctl.md', CTL),
  ...Object.entries(OTHERS),
])
