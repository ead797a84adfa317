// SPDX-License-Identifier: Apache-2.0
/** The source of a server for `multipath run`: HTTP on several ports, and one of UDP that sends back what it gets. */

export const PORTS = { http: 80, other: 23_456 } as const
/** Of /slow, which takes more than a second. */
export const SLOW_BYTES: number = 8 * 1024 * 1024

/** For `node -e`. It says `ready`. */
export const SERVER_SOURCE: string = `
const { createServer } = require('node:http')
const chunk = Buffer.alloc(${SLOW_BYTES / 128}, 'multipath ')
const serve = (request, response) => {
  if (request.url !== '/slow') return response.end('hello from ' + request.socket.localPort + '\\n')
  let left = 128
  const timer = setInterval(() => {
    if (left-- > 0) return response.write(chunk)
    clearInterval(timer)
    response.end()
  }, 10)
}
const { createSocket } = require('node:dgram')
for (const type of ['udp4', 'udp6']) {
  const socket = createSocket({ type, ipv6Only: type === 'udp6' })
  socket.on('message', (packet, { address, port }) => socket.send('echo ' + packet, port, address))
  socket.bind(${PORTS.other})
}
let listening = 0
for (const port of ${JSON.stringify(Object.values(PORTS))})
  createServer(serve).listen(port, '::', () => ++listening === ${Object.values(PORTS).length} && console.log('ready'))
`
