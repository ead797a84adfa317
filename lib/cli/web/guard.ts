// SPDX-License-Identifier: Apache-2.0
/** Who may ask the page of `--web` for what: decided from the head of a request alone. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'

/** Of a request, as Node has it. */
export interface RequestHead {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: {
    readonly host?: string | undefined
    readonly origin?: string | undefined
    readonly authorization?: string | undefined
    readonly 'content-type'?: string | undefined
  }
}

export type Verdict =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'events' }
  | { readonly kind: 'action' }
  | { readonly kind: 'refused'; readonly code: 401 | 403 | 404 | 405 | 415; readonly text: string }

/**
 * A page of another site can neither read nor act: its Host is a name, even if that leads here (DNS rebinding), and its
 * Origin is another one. The state and the actions need the token besides.
 *
 * @param isFile - whether the page has that file
 */
export function judge(head: RequestHead, token: Uint8Array, isFile: (path: string) => boolean): Verdict {
  const { method = '', headers } = head
  const path = (head.url ?? '').split('?')[0]!
  const foreign = judgeSite(headers)
  if (foreign !== undefined) return foreign
  if (path === '/ctl') return judgeAction(method, headers, token)
  if (path !== '/events' && !isFile(path)) return refused(404, 'there is nothing of this name')
  if (method !== 'GET' && method !== 'HEAD') return refused(405, 'only GET is allowed')
  if (path !== '/events') return { kind: 'file', path }
  return isToken(headers.authorization, token) ? { kind: 'events' } : WRONG_TOKEN
}

function judgeSite({ host = '', origin }: RequestHead['headers']): Verdict | undefined {
  const shown = host.toLowerCase()
  if (!isOurHost(shown)) return refused(403, 'Host must be an IP address or localhost')
  if (origin === undefined || origin === `http://${shown}`) return undefined
  return refused(403, 'Origin must be that of the page')
}

function judgeAction(method: string, headers: RequestHead['headers'], token: Uint8Array): Verdict {
  if (method !== 'POST') return refused(405, 'only POST is allowed')
  // What a form of any site may send is none of these.
  if (!/^application\/json(?:;|$)/.test(headers['content-type'] ?? ''))
    return refused(415, 'Content-Type must be application/json')
  return isToken(headers.authorization, token) ? { kind: 'action' } : WRONG_TOKEN
}

const WRONG_TOKEN = refused(401, 'Authorization must be Bearer and the token')

function refused(code: Extract<Verdict, { kind: 'refused' }>['code'], text: string): Verdict {
  return { kind: 'refused', code, text }
}

/** With any port: it may be forwarded, as by ssh. */
function isOurHost(host: string): boolean {
  const { address, name } =
    /^(?:\[(?<address>[^\]]+)\]|(?<name>[^:]+))(?::\d{1,5})?$/.exec(host)?.groups ?? {}
  return address === undefined ? name === 'localhost' || isIP(name ?? '') === 4 : isIP(address) === 6
}

/** The time that it takes tells nothing of the token. */
function isToken(authorization: string | undefined, token: Uint8Array): boolean {
  const shown = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1]
  return shown !== undefined && timingSafeEqual(digest(shown), digest(token))
}

function digest(text: string | Uint8Array): Buffer {
  return createHash('sha256').update(text).digest()
}
