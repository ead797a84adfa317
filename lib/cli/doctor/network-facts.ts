// SPDX-License-Identifier: Apache-2.0
/** How this machine sends packets: asked of `ip` and of /proc, on Linux. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { ChosenRoute, InterfaceAddress, Route, Rule } from './ip-json.js'
import { parseAddresses, parseChosenRoute, parseRoutes, parseRules } from './ip-json.js'

/** What all paths have in common. */
export interface NetworkFacts {
  readonly addresses: readonly InterfaceAddress[]
  /** Of all tables. */
  readonly routes: readonly Route[]
  readonly rules: readonly Rule[]
  /** Interfaces that drop a packet whose answer would leave by another one (IPv4). */
  readonly strictDevices: readonly string[]
}

/** The system that is asked; specs give another one. */
export interface SystemView {
  readonly platform: string
  /** Runs `ip`. @returns its standard output; rejects with the words of its standard error */
  ip(args: readonly string[]): Promise<string>
  /** Rejects where there is no such file. */
  readText(file: string): Promise<string>
}

/** Routes are not known here; the message says why. */
export class UncheckedError extends Error {}

const IP_TIMEOUT_MS = 5000
/** Of net.ipv4.conf.*.rp_filter: RFC 3704, strict reverse path. */
const STRICT = 1

export function systemView(): SystemView {
  return {
    platform: process.platform,
    ip: async (args) => {
      try {
        return (await promisify(execFile)('ip', args, { timeout: IP_TIMEOUT_MS })).stdout
      } catch (error) {
        const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string }
        if (code === 'ENOENT')
          throw new UncheckedError('the command ip was not found: install iproute2', { cause: error })
        throw new Error(stderr?.trim() || message, { cause: error })
      }
    },
    readText: (file) => readFile(file, 'utf8'),
  }
}

/** @throws {UncheckedError} where that cannot be found out */
export async function readFacts(view: SystemView): Promise<NetworkFacts> {
  if (view.platform !== 'linux')
    throw new UncheckedError(`routes can be looked up only on Linux, and this system is ${view.platform}`)
  try {
    const [addresses, ...tables] = await Promise.all([
      view.ip(['-json', 'address', 'show']),
      ...(['-4', '-6'] as const).flatMap((family) => [
        askFamily(view, [family, 'route', 'show', 'table', 'all']),
        askFamily(view, [family, 'rule', 'show']),
      ]),
    ])
    const [routes4 = '', rules4 = '', routes6 = '', rules6 = ''] = tables
    const parsed = parseAddresses(addresses)
    return {
      addresses: parsed,
      routes: [...parseRoutes(routes4), ...parseRoutes(routes6)],
      rules: [...parseRules(rules4), ...parseRules(rules6)],
      strictDevices: await strictDevices(view, [...new Set(parsed.map(({ device }) => device))]),
    }
  } catch (error) {
    if (error instanceof UncheckedError) throw error
    throw new UncheckedError(`the ip command did not give the routes: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** How packets to `host` leave, from `source` where one is given. Rejects with the words of `ip`: no route. */
export async function chosenRoute(
  view: SystemView,
  host: string,
  source: string | undefined,
): Promise<ChosenRoute> {
  const [address = host, zone] = host.split('%')
  const from = source === undefined ? [] : ['from', source]
  const by = zone === undefined ? [] : ['oif', zone]
  const family = address.includes(':') ? '-6' : '-4'
  return parseChosenRoute(await view.ip(['-json', family, 'route', 'get', address, ...from, ...by]))
}

/** A kernel without this family has nothing to say of it. */
async function askFamily(view: SystemView, args: readonly string[]): Promise<string> {
  try {
    return await view.ip(['-json', ...args])
  } catch (error) {
    if (error instanceof UncheckedError || args[0] === '-4') throw error
    return ''
  }
}

/** The higher of `all` and the interface's own counts: Linux, networking/ip-sysctl. */
async function strictDevices(view: SystemView, devices: readonly string[]): Promise<string[]> {
  const read = async (name: string): Promise<number> => {
    const text = await view.readText(`/proc/sys/net/ipv4/conf/${name}/rp_filter`).catch(() => '0')
    return Number(text)
  }
  const all = await read('all')
  const values = await Promise.all(devices.map(read))
  return devices.filter((_, index) => Math.max(all, values[index]!) === STRICT)
}
