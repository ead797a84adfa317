// SPDX-License-Identifier: Apache-2.0
/** What a file of `up` may hold. Its keys are the options of the commands. */
import type { Option } from 'commander'
import type { CliIo } from '../cli-io.js'
import type { CtlFlags } from '../ctl/offer.js'
import { CTL_OPTIONS, MONITOR_OPTION } from '../ctl/offer.js'
import { gatewayPart } from '../gateway/gateway.js'
import type { GatewayFlags } from '../gateway/gateway-flags.js'
import { GATEWAY_OPTIONS } from '../gateway/gateway-flags.js'
import type { GatewayPart } from '../gateway/gateway-part.js'
import type { ClientPart } from '../streams/client-part.js'
import type { CommonFlags } from '../streams/common-options.js'
import { isRepeatable, REPORT_OPTIONS } from '../streams/common-options.js'
import type { ForwardFlags } from '../streams/forward.js'
import { FORWARD_OPTIONS, forwardPart } from '../streams/forward.js'
import { SERVE_OPTIONS, ServePart } from '../streams/serve.js'
import type { ServeFlags } from '../streams/serve-options.js'
import type { SocksFlags } from '../streams/socks.js'
import { SOCKS_OPTIONS, socksPart } from '../streams/socks.js'

/** Of the whole process, at the top of the file. */
export type ProcessFlags = Pick<CommonFlags, 'json' | 'verbose'> & CtlFlags

export type AnyPart = ServePart | ClientPart | GatewayPart

export interface Section {
  readonly name: string
  /** Of one part. */
  readonly options: readonly Option[]
  /** Keys whose changes a running part takes over. */
  readonly reloadable: readonly string[]
  /** @throws {CliError} EXIT_USAGE for flags that do not go together */
  readonly prepare: (flags: object, env: CliIo['env']) => AnyPart
}

/** Keys of the top of the file. */
export const PROCESS_OPTIONS: readonly Option[] = [...CTL_OPTIONS(), MONITOR_OPTION(), ...REPORT_OPTIONS()]

const CLIENT_RELOADABLE: readonly string[] = [
  ...['to', 'tls', 'tls-ca', 'tls-fingerprint', 'tls-name', 'tls-cert', 'tls-key'],
]

export const SECTIONS: readonly Section[] = [
  {
    name: 'serve',
    options: ownOptions(SERVE_OPTIONS()),
    reloadable: [
      ...['allow', 'allow-socks', 'allow-private', 'allow-remote', 'insecure'],
      ...['tls-cert', 'tls-key', 'tls-client-ca'],
    ],
    prepare: (flags, env) => new ServePart(flags as ServeFlags, env),
  },
  {
    name: 'forward',
    options: ownOptions(FORWARD_OPTIONS()),
    reloadable: [...CLIENT_RELOADABLE, 'local'],
    prepare: (flags, env) => forwardPart(flags as ForwardFlags, env),
  },
  {
    name: 'socks',
    options: ownOptions(SOCKS_OPTIONS()),
    reloadable: [...CLIENT_RELOADABLE, 'listen', 'login-file', 'early', 'insecure'],
    prepare: (flags, env) => socksPart(flags as SocksFlags, env),
  },
  {
    name: 'gateway',
    options: ownOptions(GATEWAY_OPTIONS()),
    reloadable: CLIENT_RELOADABLE,
    prepare: (flags, env) => gatewayPart(flags as GatewayFlags, env),
  },
]

function ownOptions(options: readonly Option[]): Option[] {
  const ofProcess = new Set(PROCESS_OPTIONS.map(keyOf))
  return options.filter((option) => !ofProcess.has(keyOf(option)))
}

/** `ctl` of `--no-ctl`. */
export function keyOf({ long }: Option): string {
  return (long ?? '').replace(/^--(?:no-)?/, '')
}

/** A value of the file as text; `true` and `false` are those of a switch. */
export type Value = boolean | readonly string[]

/** By key. */
export type Values = ReadonlyMap<string, Value>

/** Whether it stands for a file. */
export function isFile({ flags }: Option): boolean {
  return flags.includes('<file>')
}

/** `undefined` where `value` is possible; otherwise what would be. */
export function expected(option: Option, value: Value): string | undefined {
  if (!option.required && !option.optional)
    return typeof value === 'boolean' ? undefined : 'must be true or false'
  if (value === true && option.optional) return undefined
  if (typeof value === 'boolean') return 'must be text or a number (quote true and false)'
  if (value.length !== 1 && !isRepeatable(option)) return 'takes a single value'
  return undefined
}

/**
 * Flags as the parser of a command line would make them.
 *
 * @param values - as {@link expected} allows them
 * @param onWrong - told of a value that is refused
 */
export function flagsOf(
  options: readonly Option[],
  values: Values,
  onWrong: (key: string, index: number, message: string) => void,
): object {
  const flags: Record<string, unknown> = {}
  for (const option of options) {
    const name = option.attributeName()
    const value = values.get(keyOf(option))
    const initial: unknown = option.negate ? true : option.defaultValue
    if (initial !== undefined) flags[name] = initial
    if (typeof value === 'boolean') {
      if (value !== option.negate) flags[name] = value ? true : flags[name]
      if (option.negate) flags[name] = value
    } else if (value !== undefined) {
      const parsed = parsedValue(option, value, onWrong)
      if (parsed !== undefined) flags[name] = parsed
    }
  }
  return flags
}

function parsedValue(
  option: Option,
  texts: readonly string[],
  onWrong: (key: string, index: number, message: string) => void,
): unknown {
  let parsed: unknown
  for (const [index, text] of texts.entries())
    try {
      parsed = option.parseArg === undefined ? text : option.parseArg(text, parsed)
    } catch (error) {
      onWrong(keyOf(option), index, (error as Error).message)
    }
  return parsed
}
