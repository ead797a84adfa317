// SPDX-License-Identifier: Apache-2.0
/**
 * The clients, each as its manual says, with a connection of ours in the place of a socket. A client is opened once, and
 * exchanges a payload in each round. JavaScript, since the packages are installed only where the spec runs.
 *
 * @typedef {object} Client
 * @property {(payload: Buffer) => Promise<Buffer>} exchange resolves with what came back
 * @property {() => Promise<unknown>} close ends it in order
 */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { buffer } from 'node:stream/consumers'

export const clients = {
  ws,
  undici,
  express,
  http2: overHttp2,
  ioredis,
  pg,
  mysql2,
  ssh2,
  mqtt,
  nodemailer,
  grpc,
}

/** The same, for clients that try again by themselves; `codes` are those of the errors that they were told meanwhile. */
export const retriers = { undici: undiciRetry, ioredis: ioredisRetry, mqtt: mqttRetry }

async function ws(connect) {
  const { WebSocket } = await import('ws')
  const socket = new WebSocket('ws://multipath/', { createConnection: connect })
  await once(socket, 'open')
  return {
    async exchange(payload) {
      socket.send(payload)
      const [answer] = await once(socket, 'message')
      return answer
    },
    close() {
      socket.close()
      return once(socket, 'close')
    },
  }
}

async function undici(connect) {
  const { Client } = await import('undici')
  // It takes a socket only once it is connected.
  const dial = (_options, done) => {
    const conn = connect().once('error', done)
    conn.once('connect', () => done(null, conn.off('error', done)))
  }
  const client = new Client('http://multipath', { connect: dial })
  return {
    async exchange(payload) {
      const { body } = await client.request({ path: '/', method: 'POST', body: payload })
      return Buffer.from(await body.arrayBuffer())
    },
    close: () => client.close(),
  }
}

/** Node's own client; Express is on the other side. */
async function express(connect) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  agent.createConnection = connect
  return {
    async exchange(payload) {
      const request = http.request({ agent, method: 'POST', path: '/echo' })
      request.end(payload)
      const [response] = await once(request, 'response')
      return buffer(response)
    },
    close: async () => agent.destroy(),
  }
}

async function overHttp2(connect) {
  const session = http2.connect('http://multipath', { createConnection: connect })
  return {
    async exchange(payload) {
      const stream = session.request({ ':method': 'POST', ':path': '/' })
      stream.end(payload)
      return buffer(stream)
    },
    close() {
      session.close()
      return once(session, 'close')
    },
  }
}

async function ioredis(connect, settings = {}, onError = undefined) {
  const { default: Redis, AbstractConnector } = await import('ioredis')
  class Connector extends AbstractConnector {
    async connect() {
      this.connecting = true
      return (this.stream = connect())
    }
  }
  const redis = new Redis({ Connector, retryStrategy: null, ...settings })
  if (onError) redis.on('error', onError)
  return {
    async exchange(payload) {
      await redis.set('key', payload)
      return redis.getBuffer('key')
    },
    close: () => redis.quit(),
  }
}

async function pg(connect, settings, socket) {
  const { default: postgres } = await import('pg')
  const client = new postgres.Client({
    stream: socket,
    user: 'postgres',
    database: 'postgres',
  })
  await client.connect()
  return {
    async exchange(payload) {
      const { rows } = await client.query('select $1::bytea as echo', [payload])
      return rows[0].echo
    },
    close: () => client.end(),
  }
}

async function mysql2(connect) {
  const { default: mysql } = await import('mysql2/promise')
  const connection = await mysql.createConnection({ stream: connect, user: 'anybody' })
  return {
    async exchange(payload) {
      const [rows] = await connection.query(`select '${payload.toString('hex')}'`)
      return Buffer.from(rows[0].echo, 'hex')
    },
    close: () => connection.end(),
  }
}

async function ssh2(connect, { username, privateKey }) {
  const { default: ssh } = await import('ssh2')
  const client = new ssh.Client()
  client.connect({ sock: connect(), username, privateKey })
  await once(client, 'ready')
  return {
    exchange: (payload) =>
      new Promise((resolve, reject) => {
        client.exec('cat', (error, channel) => {
          if (error) return reject(error)
          channel.end(payload)
          buffer(channel).then(resolve, reject)
        })
      }),
    close() {
      client.end()
      return once(client, 'close')
    },
  }
}

async function mqtt(connect, settings = {}, onError = undefined) {
  const { default: mqttjs } = await import('mqtt')
  const client = new mqttjs.MqttClient(connect, { reconnectPeriod: 0, ...settings })
  if (onError) client.on('error', onError)
  await new Promise((resolve) => client.once('connect', resolve))
  await client.subscribeAsync('echo', { qos: 1 })
  return {
    async exchange(payload) {
      const message = once(client, 'message')
      await client.publishAsync('echo', payload, { qos: 1 })
      return (await message)[1]
    },
    close: () => client.endAsync(),
  }
}

/** The server answers with the hash of what it got. */
async function nodemailer(connect) {
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    pool: true,
    maxConnections: 1,
    getSocket: (_options, done) => done(null, { connection: connect() }),
  })
  const envelope = { from: 'here@example.net', to: 'there@example.net' }
  return {
    async exchange(payload) {
      const lines = payload.toString('base64').match(/.{1,76}/g)
      const raw = `Subject: bytes\r\n\r\n${lines.join('\r\n')}\r\n`
      const { response } = await transport.sendMail({ envelope, raw })
      return response.includes(createHash('sha256').update(raw).digest('hex'))
        ? payload
        : Buffer.from(response)
    },
    close: async () => transport.close(),
  }
}

/** Takes no socket: it dials a port of this machine, which goes on over ours, as `multipath forward` does it. */
async function grpc(connect) {
  const grpcjs = await import('@grpc/grpc-js')
  const forward = net.createServer({ allowHalfOpen: true }, (local) => {
    const conn = connect()
    local.pipe(conn).pipe(local)
  })
  await once(forward.listen(0, '127.0.0.1'), 'listening')
  const client = new grpcjs.Client(`127.0.0.1:${forward.address().port}`, grpcjs.credentials.createInsecure())
  const asIs = (bytes) => bytes
  return {
    exchange: (payload) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest('/echo.Echo/Echo', asIs, asIs, payload, (error, answer) =>
          error ? reject(error) : resolve(answer),
        )
      }),
    async close() {
      client.close()
      forward.close()
      await once(forward, 'close')
    },
  }
}

/** It decides by the code. */
async function undiciRetry(connect) {
  const { Agent, RetryAgent } = await import('undici')
  const codes = []
  const dial = (_options, done) => {
    const onError = (error) => {
      codes.push(error.code)
      done(error)
    }
    const conn = connect().once('error', onError)
    conn.once('connect', () => done(null, conn.off('error', onError)))
  }
  const agent = new RetryAgent(new Agent({ connect: dial }), { minTimeout: 10, methods: ['POST'] })
  return {
    codes,
    async exchange(payload) {
      const { body } = await agent.request({
        origin: 'http://multipath',
        path: '/',
        method: 'POST',
        body: payload,
      })
      return Buffer.from(await body.arrayBuffer())
    },
    close: () => agent.close(),
  }
}

async function ioredisRetry(connect) {
  const codes = []
  const client = await ioredis(connect, { retryStrategy: () => 10 }, (error) => codes.push(error.code))
  return { ...client, codes }
}

/** It throws away errors whose code it does not know. */
async function mqttRetry(connect) {
  const codes = []
  const client = await mqtt(connect, { reconnectPeriod: 10 }, (error) => codes.push(error.code))
  return { ...client, codes }
}
