// SPDX-License-Identifier: Apache-2.0
/** The source of a server for `multipath run`: HTTP on several ports. */

export const PORTS: Readonly<Record<'http' | 'other', number>> = { http: 80, other: 23_456 }
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
let listening = 0
for (const port of ${JSON.stringify(Object.values(PORTS))})
  createServer(serve).listen(port, '::', () => ++listening === ${Object.values(PORTS).length} && console.log('ready'))
`
