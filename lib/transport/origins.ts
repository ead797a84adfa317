// SPDX-License-Identifier: Apache-2.0
/** Which pages of the web may open WebSockets: browsers let every page do so, and tell its origin. */
import type { IncomingMessage } from 'node:http'
import { OptionError } from '../errors.js'

/** Origins as browsers write them, `https://example.org`, or a function that answers `true` for one that may come. */
export type Origins = readonly string[] | ((origin: string, request: IncomingMessage) => boolean)

/** Whether the request may become a WebSocket. One without an origin comes from no browser. */
export type OriginCheck = (request: IncomingMessage) => boolean

/** @throws {OptionError} */
export function originCheck(origins: Origins = []): OriginCheck {
  const isAllowed = typeof origins === 'function' ? origins : among(origins)
  return (request) => {
    const { origin } = request.headers
    if (origin === undefined) return true
    try {
      // A promise would pass for a yes.
      return (isAllowed(origin, request) as unknown) === true
    } catch {
      // The header is a stranger's: where a function stumbles over it, the process must not.
      return false
    }
  }
}

function among(origins: unknown): (origin: string) => boolean {
  if (!Array.isArray(origins) || !origins.every(isOrigin))
    throw new OptionError('origins must be origins such as https://example.org, or a function')
  return (origin) => origins.includes(origin)
}

function isOrigin(text: unknown): boolean {
  return typeof text === 'string' && URL.canParse(text) && new URL(text).origin === text
}
