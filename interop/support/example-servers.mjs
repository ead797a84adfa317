// SPDX-License-Identifier: Apache-2.0
/** What the examples of the documents reach: `there`, services beside `multipath serve`; `internet`, the site example.org. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { argv, stdout } from 'node:process'
import { URL } from 'node:url'

const [, , side, folder] = argv
const SITE = '93.184.216.34'

const echo = () =>
  createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket))
const page = (request, response) => response.end(`the page ${request.url}\n`)

/** A repository of git for its protocol without a server, and a source of packages for apt. */
function site(request, response) {
  try {
    response.end(readFileSync(join(folder, 'site', new URL(request.url, 'http://site').pathname)))
  } catch {
    if (request.url === '/') response.end('the site\n')
    else response.writeHead(404).end()
  }
}

async function serveThere() {
  const names = createSocket('udp4')
  names.on('message', (packet, { port, address }) => names.send(packet, port, address)).bind(53, '10.0.0.1')
  const opened = [
    [createHttp(page), 8080],
    [echo(), 22],
    [echo(), 5432],
  ].map(([server, port]) => once(server.listen(port), 'listening'))
  await Promise.all([once(names, 'listening'), ...opened])
}

async function serveInternet() {
  const [cert, key] = ['crt.pem', 'key.pem'].map((name) => readFileSync(join(folder, name)))
  const web = createHttp(site).listen(80, SITE)
  const secure = createHttps({ cert, key }, site).listen(443, SITE)
  const ssh = echo().listen(22, '127.0.0.1')
  await Promise.all([web, secure, ssh].map((server) => once(server, 'listening')))
}

await (side === 'there' ? serveThere() : serveInternet())
stdout.write('ready\n')
