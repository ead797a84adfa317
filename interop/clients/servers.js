// SPDX-License-Identifier: Apache-2.0
/** The servers that come from npm: each gets the sockets of a net.Server. They are started with the packages there. */
import { createHash } from 'node:crypto'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'

/** Each resolves with a server that does not listen yet. */
export const servers = { ws, undici, http: express, http2: overHttp2, mysql2, mqtt, nodemailer }

const echo = (request, response) => request.pipe(response)

async function ws() {
  const { WebSocketServer } = await import('ws')
  const server = http.createServer()
  new WebSocketServer({ server }).on('connection', (socket) =>
    socket.on('message', (bytes) => socket.send(bytes)),
  )
  return server
}

async function undici() {
  return http.createServer(echo)
}

async function express() {
  const { default: createApp } = await import('express')
  return http.createServer(createApp().post('/echo', echo))
}

async function overHttp2() {
  return http2.createServer(echo)
}

/** Answers `select 'TEXT'` with TEXT. */
async function mysql2() {
  const { default: mysql } = await import('mysql2')
  const text = { catalog: 'def', schema: '', table: '', orgTable: '', name: 'echo', orgName: 'echo' }
  const column = {
    ...text,
    characterSet: 33,
    columnType: mysql.Types.VAR_STRING,
    columnLength: 255,
    flags: 0,
    decimals: 0,
  }
  const greeting = {
    protocolVersion: 10,
    serverVersion: 'echo',
    connectionId: 1,
    statusFlags: 2,
    characterSet: 8,
  }
  const server = mysql.createServer((connection) => {
    // Its server does not begin each command at number 0 by itself, and both sides warn of that.
    const authCallback = (_parameters, done) => {
      done(null)
      connection._resetSequenceId()
    }
    connection.serverHandshake({ ...greeting, capabilityFlags: 0xffffff ^ 2048, authCallback })
    connection.on('error', () => undefined)
    connection.on('query', (sql) => {
      connection.writeTextResult([{ echo: sql.slice("select '".length, -1) }], [column])
      connection._resetSequenceId()
    })
  })
  return server._server
}

async function mqtt() {
  const { Aedes } = await import('aedes')
  const broker = await Aedes.createBroker()
  return net.createServer(broker.handle).on('close', () => broker.close())
}

/** Answers with the hash of the message. */
async function nodemailer() {
  const { SMTPServer } = await import('smtp-server')
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      const hash = createHash('sha256')
      stream.on('data', (chunk) => hash.update(chunk))
      stream.on('end', () => done(null, hash.digest('hex')))
    },
  })
  return smtp.server
}

/** What a gRPC server answers: each request with itself. */
export function addEcho(server) {
  const asIs = (bytes) => bytes
  const codec = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  }
  server.addService(
    { echo: { path: '/echo.Echo/Echo', requestStream: false, responseStream: false, ...codec } },
    { echo: (call, done) => done(null, call.request) },
  )
}
