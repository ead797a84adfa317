// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { CtlRequest } from '../../../lib/cli/ctl/protocol.js'
import { MOST_VIEWERS } from '../../../lib/cli/web/viewers.js'
import { serveWeb } from '../../../lib/cli/web/web-server.js'
import { heardUntilClose } from '../../support/tcp.js'

const TOKEN = 'a-token-that-only-specs-know'
const authorization = `Bearer ${TOKEN}`
const json = { 'content-type': 'application/json' }

interface Answer {
  readonly code: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A server on a free port, and a client of it. */
async function site(
  state: unknown = { sessions: [] },
  perform: (asked: CtlRequest) => unknown = () => ({}),
): Promise<{ port: number; ask: (url: string, headers?: object, body?: string) => Promise<Answer> }> {
  const bind = { host: '127.0.0.1', port: 0 }
  const { place, close } = await serveWeb({ bind, token: Buffer.from(TOKEN), status: () => state, perform })
  onTestFinished(close)
  const port = Number(place.split(':')[1])
  const ask = async (url: string, headers: object = {}, body?: string): Promise<Answer> => {
    const method = body === undefined ? 'GET' : 'POST'
    const asked = request({ port, host: '127.0.0.1', path: url, method, headers: { ...headers } })
    asked.on('error', () => {})
    asked.end(body)
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    return { code: response.statusCode!, headers: response.headers, body: await text(response) }
  }
  return { port, ask }
}

describe('the page of --web', () => {
  it('has all of its files, whole, and a policy that allows no inline code', async () => {
    const { ask } = await site()
    const names = readdirSync('web', { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.\w+$/.test(name),
    )
    expect(names.length).toBeGreaterThan(5)
    for (const name of names) {
      const { code, headers } = await ask(name === 'index.html' ? '/' : `/${name}`)
      expect([name, code]).toEqual([name, 200])
      expect(headers['content-security-policy']).toMatch(
        /^default-src 'none'; script-src 'self'; style-src 'self';/,
      )
      expect(headers['content-security-policy']).not.toContain('unsafe')
      expect(headers['x-content-type-options']).toBe('nosniff')
    }
    const { body } = await ask('/')
    expect(body).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=/)
  })

  it('performs what is asked with the token, and says what is wrong', async () => {
    const perform = vi.fn(({ label }: CtlRequest) => {
      if (label === 'nobody') throw new Error('no path is called "nobody"')
      return {}
    })
    const { ask } = await site({}, perform)
    const post = (body: string): Promise<Answer> => ask('/ctl', { authorization, ...json }, body)
    expect(await post('{"cmd":"paths-pause","label":"lte"}')).toMatchObject({
      code: 200,
      body: '{"ok":true,"result":{}}',
    })
    expect(await post('{"cmd":"paths-pause","label":"nobody"}')).toMatchObject({
      code: 400,
      body: '{"ok":false,"error":"no path is called \\"nobody\\""}',
    })
    expect(perform).toHaveBeenCalledTimes(2)
    for (const body of [
      '',
      'nonsense',
      '[]',
      '{"cmd":"stop"}',
      '{"cmd":"trace","on":true}',
      '{"cmd":"constructor"}',
    ])
      expect((await post(body)).code).toBe(400)
    expect((await ask('/ctl', json, '{"cmd":"paths-pause","label":"lte"}')).code).toBe(401)
    expect(perform).toHaveBeenCalledTimes(2)
  })

  it('refuses a request that is too long, and says so', async () => {
    const perform = vi.fn()
    const { ask } = await site({}, perform)
    const { code, body } = await ask('/ctl', { authorization, ...json }, `{"cmd":"${'x'.repeat(200_000)}"}`)
    expect([code, body]).toEqual([413, 'a request has at most 65536 bytes\n'])
    expect(perform).not.toHaveBeenCalled()
  })

  it('gives the state to eight viewers, and to a ninth once one has left', async () => {
    const { port, ask } = await site({ name: 'forward-1' })
    const head = `GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${authorization}\r\n\r\n`
    const viewers = Array.from({ length: MOST_VIEWERS }, () => connect(port, '127.0.0.1'))
    onTestFinished(() => {
      for (const viewer of viewers) viewer.destroy()
    })
    for (const viewer of viewers) {
      viewer.write(head)
      expect(String((await once(viewer, 'data'))[0])).toMatch(/^HTTP\/1.1 200 OK\r\n/)
    }
    expect(await ask('/events', { authorization })).toMatchObject({
      code: 503,
      body: expect.stringMatching(/8 viewers/) as string,
    })
    viewers[0]!.destroy()
    const ninth = connect(port, '127.0.0.1')
    viewers.push(ninth)
    await vi.waitFor(async () => {
      ninth.write(head)
      expect(String((await once(ninth, 'data'))[0])).toContain('data: {"name":"forward-1"}\n\n')
    })
  })

  it('closes what is no HTTP, and says what is wrong with the port', async () => {
    const { port } = await site()
    const socket = connect(port, '127.0.0.1')
    socket.write('nonsense\r\n\r\n')
    expect(String(await heardUntilClose(socket))).toMatch(/^HTTP\/1.1 400 /)
    await expect(
      serveWeb({
        bind: { host: '127.0.0.1', port },
        token: Buffer.from(TOKEN),
        status: () => ({}),
        perform: () => ({}),
      }),
    ).rejects.toMatchObject({ hint: expect.stringContaining('--web') as string })
  })
})
