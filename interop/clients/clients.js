// SPDX-License-Identifier: Apache-2.0
/**
 * What is done with the clients of docs/integrations.md, which are opened as that page says: see page.ts of the specs. A client
 * is opened once, and exchanges a payload in each round. JavaScript, since the packages are installed only where the spec runs.
 *
 * @typedef {object} Client
 * @property {(payload: Buffer) => Promise<Buffer>} exchange resolves with what came back
 * @property {() => Promise<unknown>} close ends it in order
 */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import { buffer } from 'node:stream/consumers'

/** Each takes what the example of its name gives. */
export const clients = {
  ws,
  undici,
  http: overHttp,
  http2,
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

async function ws({ socket }) {
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

async function undici({ dispatcher }) {
  const { fetch } = await import('undici')
  return {
    async exchange(payload) {
      const response = await fetch('http://server.example/', { method: 'POST', body: payload, dispatcher })
      return Buffer.from(await response.arrayBuffer())
    },
    close: () => dispatcher.close(),
  }
}

/** Node's own client; Express is on the other side. */
async function overHttp({ agent }) {
  return {
    async exchange(payload) {
      const request = http.request('http://server.example/echo', { agent, method: 'POST' })
      request.end(payload)
      const [response] = await once(request, 'response')
      return buffer(response)
    },
    close: async () => agent.destroy(),
  }
}

async function http2({ session }) {
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

async function ioredis({ redis }) {
  return {
    async exchange(payload) {
      await redis.set('key', payload)
      return redis.getBuffer('key')
    },
    close: () => redis.quit(),
  }
}

async function pg({ client }) {
  return {
    async exchange(payload) {
      const { rows } = await client.query('select $1::bytea as echo', [payload])
      return rows[0].echo
    },
    close: () => client.end(),
  }
}

async function mysql2({ connection }) {
  return {
    async exchange(payload) {
      const [rows] = await connection.query(`select '${payload.toString('hex')}'`)
      return Buffer.from(rows[0].echo, 'hex')
    },
    close: () => connection.end(),
  }
}

async function ssh2({ client }) {
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

async function mqtt({ client }) {
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
async function nodemailer({ transport }) {
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

async function grpc({ client, forward }) {
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
  const { AbstractConnector, Redis } = await import('ioredis')
  const codes = []
  class Connector extends AbstractConnector {
    async connect() {
      this.connecting = true
      return (this.stream = connect())
    }
  }
  const redis = new Redis({ Connector, retryStrategy: () => 10 })
  redis.on('error', (error) => codes.push(error.code))
  return { ...(await ioredis({ redis })), codes }
}

/** It throws away errors whose code it does not know. */
async function mqttRetry(connect) {
  const { MqttClient } = (await import('mqtt')).default
  const codes = []
  const client = new MqttClient(connect, { reconnectPeriod: 10 })
  client.on('error', (error) => codes.push(error.code))
  return { ...(await mqtt({ client })), codes }
}
