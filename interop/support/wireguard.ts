// SPDX-License-Identifier: Apache-2.0
/**
 * WireGuard in network namespaces, as the Go program of its authors, so that it needs no module of the kernel. It is configured
 * through its socket, and not by `wg`.
 */
import { execFile, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, existsSync, mkdirSync, renameSync } from 'node:fs'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Program } from '../../bench/shared/program.js'
import { goVersion } from './build-peer.js'
import { ip, whyNoNamespaces } from './namespaces.js'

const run = promisify(execFile)
const VERSION = 'v0.0.0-20260522210424-ecfc5a8d5446'
const BUILD = fileURLToPath(new URL('../../build/interop/', import.meta.url))
const FOLDER = `${BUILD}wireguard-${VERSION}`

/** Why it cannot run here; `undefined`: it can. */
export function whyNoWireGuard(): string | undefined {
  try {
    accessSync('/dev/net/tun')
  } catch {
    return 'no /dev/net/tun'
  }
  const hasProgram = isInstalled() || goVersion() !== undefined
  return hasProgram ? whyNoNamespaces() : 'needs Go, or wireguard-go'
}

function isInstalled(): boolean {
  return spawnSync('wireguard-go', ['--version']).error === undefined
}

/** The installed program, or one that is built once. @throws what `go install` printed, when it fails */
export async function buildWireGuard(): Promise<string> {
  if (isInstalled()) return 'wireguard-go'
  if (existsSync(FOLDER)) return `${FOLDER}/wireguard`
  const aside = `${BUILD}building-wireguard-${process.pid}`
  mkdirSync(aside, { recursive: true })
  await run('go', ['install', `golang.zx2c4.com/wireguard@${VERSION}`], {
    env: { ...process.env, GOBIN: aside },
  })
  renameSync(aside, FOLDER)
  return `${FOLDER}/wireguard`
}

export interface KeyPair {
  /** Of 32 bytes, in Base64, as `wg genkey` prints them. */
  readonly privateKey: string
  readonly publicKey: string
}

export function keyPair(): KeyPair {
  const { d, x } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' })
  const standard = (text: string): string => Buffer.from(text, 'base64url').toString('base64')
  return { privateKey: standard(d!), publicKey: standard(x!) }
}

export interface TunnelEnd {
  /** The program of {@link buildWireGuard}. */
  readonly program: string
  /** What to put before a command of its machine, the last word of which is the namespace. */
  readonly within: readonly string[]
  /** Of the interface, also among other namespaces. */
  readonly name: string
  /** A file for `wg-quick`. */
  readonly config: string
}

/** An interface of WireGuard, for as long as the program runs. */
export async function openTunnel({ program, within, name, config }: TunnelEnd): Promise<Program> {
  const running = new Program([...within, program, '-f', name], { LOG_LEVEL: 'verbose' })
  await running.line(/UAPI listener started/)
  const settings = settingsOf(config)
  await configure(name, settings)
  const namespace = within.at(-1)!
  for (const [key, value] of settings) {
    if (key === 'Address') ip('-n', namespace, 'address', 'add', value, 'dev', name)
    if (key === 'MTU') ip('-n', namespace, 'link', 'set', name, 'mtu', value)
  }
  ip('-n', namespace, 'link', 'set', name, 'up')
  return running
}

function settingsOf(config: string): [key: string, value: string][] {
  return [...config.matchAll(/^(\w+) *= *(\S+)/gm)].map(([, key, value]) => [key!, value!])
}

/** The words of the configuration protocol for those of `wg`. */
const WORDS: Readonly<Record<string, string>> = {
  PrivateKey: 'private_key',
  ListenPort: 'listen_port',
  PublicKey: 'public_key',
  AllowedIPs: 'allowed_ip',
  Endpoint: 'endpoint',
  PersistentKeepalive: 'persistent_keepalive_interval',
}

/** @throws where it refuses */
async function configure(name: string, settings: readonly (readonly [string, string])[]): Promise<void> {
  const lines = settings.flatMap(([key, value]) => {
    const word = WORDS[key]
    if (word === undefined) return []
    return [`${word}=${word.endsWith('_key') ? Buffer.from(value, 'base64').toString('hex') : value}`]
  })
  const socket = connect(`/var/run/wireguard/${name}.sock`)
  socket.write(`set=1\n${lines.join('\n')}\n\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  if (!String(answer).includes('errno=0')) throw new Error(`WireGuard refused: ${String(answer)}`)
}
