// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { RequestHead, Verdict } from '../../../lib/cli/web/guard.js'
import { judge } from '../../../lib/cli/web/guard.js'
import { fuzzSource } from '../../support/fuzz.js'

const TOKEN = Buffer.from('a-token-that-only-specs-know')
const authorization = `Bearer ${TOKEN.toString()}`
const host = '127.0.0.1:8080'
const json = { 'content-type': 'application/json' }

function verdict(url: string, headers: RequestHead['headers'], method = 'GET'): string {
  const isFile = (path: string): boolean => path === '/' || path === '/page.js'
  return told(judge({ method, url, headers: { host, ...headers } }, TOKEN, isFile))
}

function told(one: Verdict): string {
  return one.kind === 'refused' ? `${one.code} ${one.text}` : one.kind
}

describe('who may ask the page', () => {
  it.each(['127.0.0.1:8080', '127.0.0.1', 'localhost:9000', 'LOCALHOST', '[::1]:8080', '192.168.1.4:80'])(
    'a Host of %s is ours: an address, or localhost with any port',
    (name) => {
      expect(verdict('/', { host: name })).toBe('file')
    },
  )

  it.each([
    ...['evil.example', 'evil.example:8080', 'localhost.evil.example', '127.0.0.1.evil.example', ''],
    ...['127.0.0.1@evil.example', '[::1', '::1', '127.0.0.1:8080:80', 'localhost:port', '[evil]:80'],
  ])('a Host of "%s" is refused, whatever it leads to', (name) => {
    expect(verdict('/', { host: name })).toMatch(/^403 Host/)
    expect(verdict('/events', { host: name, authorization })).toMatch(/^403 Host/)
  })

  it('a request without Host is refused', () => {
    expect(verdict('/', { host: undefined })).toMatch(/^403 Host/)
  })

  it.each([
    'http://evil.example',
    'null',
    'https://127.0.0.1:8080',
    'http://127.0.0.1:8081',
    'http://localhost:8080',
  ])('an Origin of %s is refused, even with the token', (origin) => {
    expect(verdict('/ctl', { origin, authorization, ...json }, 'POST')).toMatch(/^403 Origin/)
    expect(verdict('/events', { origin, authorization })).toMatch(/^403 Origin/)
  })

  it('the page itself and programs without an Origin are let in, with the token', () => {
    for (const headers of [{ authorization }, { authorization, origin: `http://${host}` }]) {
      expect(verdict('/ctl', { ...headers, ...json }, 'POST')).toBe('action')
      expect(verdict('/events', headers)).toBe('events')
    }
  })

  it.each([undefined, '', 'Bearer', 'Bearer ', `Bearer ${TOKEN.toString()}x`, `bearer ${TOKEN.toString()}`])(
    'the state and the actions are refused with an Authorization of "%s"',
    (shown) => {
      expect(verdict('/events', { authorization: shown })).toMatch(/^401 /)
      expect(verdict('/ctl', { authorization: shown, ...json }, 'POST')).toMatch(/^401 /)
    },
  )

  it('actions are POST alone and JSON alone, which no form can send', () => {
    expect(verdict('/ctl', { authorization, ...json }, 'GET')).toMatch(/^405 /)
    expect(verdict('/ctl', { authorization }, 'POST')).toMatch(/^415 /)
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp'])
      expect(verdict('/ctl', { authorization, 'content-type': type }, 'POST')).toMatch(/^415 /)
    expect(
      verdict('/ctl', { authorization, 'content-type': 'application/json; charset=utf-8' }, 'POST'),
    ).toBe('action')
  })

  it('there are the files of the page, by GET, and nothing else', () => {
    expect(verdict('/page.js?x=1', {})).toBe('file')
    expect(verdict('/page.js', {}, 'PUT')).toMatch(/^405 /)
    for (const url of [
      '/../package.json',
      '/page.js/',
      '//page.js',
      'http://127.0.0.1/page.js',
      '/%70age.js',
      '',
    ])
      expect(verdict(url, {})).toMatch(/^404 /)
  })

  it('whatever a request is, the state and the actions need the token, our Host and our Origin', () => {
    const { random, inputs } = fuzzSource('requests to the page', 20_000)
    const parts = [
      '127.0.0.1',
      'localhost',
      '[::1]',
      ':',
      '80',
      'evil',
      '.',
      '@',
      ' ',
      '/',
      '#',
      '\u0000',
      'é',
    ]
    const pieces = (): string =>
      Array.from({ length: random.integer(0, 4) }, () => random.pick(parts)).join('')
    const maybe = (right: string): string => (random.integer(0, 1) === 0 ? right : pieces())
    for (let n = 0; n < inputs; n++) {
      const name = maybe(host)
      const headers = {
        host: name,
        origin: maybe(`http://${name}`),
        authorization: maybe(authorization),
        ...json,
      }
      const url = random.pick(['/events', '/ctl', '/', pieces()])
      const said = verdict(url, headers, random.pick(['GET', 'POST', 'HEAD', 'PUT']))
      if (said !== 'events' && said !== 'action') continue
      expect(headers.authorization).toBe(authorization)
      expect(headers.origin.toLowerCase()).toBe(`http://${name.toLowerCase()}`)
      expect(name).toMatch(/^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/)
    }
  })
})
