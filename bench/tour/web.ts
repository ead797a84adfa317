// SPDX-License-Identifier: Apache-2.0
/** The web server of the tour, on the address and port that it is given. */
import { createServer } from 'node:http'
import { DOWNLOAD_BYTES, image, page, seeded } from './content.js'

const [host = '127.0.0.1', port = '80'] = process.argv.slice(2)
const download = seeded(0, DOWNLOAD_BYTES)

const server = createServer((request, response) => {
  const number = /^\/(\d+)\.bmp$/.exec(request.url ?? '')?.[1]
  // As many servers do: each image has a TCP connection of its own.
  response.setHeader('connection', 'close')
  if (request.url === '/') response.setHeader('content-type', 'text/html').end(page())
  else if (request.url === '/download.bin') response.end(download)
  else if (number !== undefined) response.setHeader('content-type', 'image/bmp').end(image(Number(number)))
  else response.writeHead(404).end()
})
server.listen(Number(port), host, () => console.log('listening'))
