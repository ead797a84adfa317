// SPDX-License-Identifier: Apache-2.0
/** What this machine must have for the emulated links and for each peer, and clear words where it has not. */
import { existsSync, readFileSync } from 'node:fs'
import { buildGo, buildNodeWorkers, GO_PEER, libraryBuild, LINKSIM } from '../shared/build.js'
import { versionOf } from '../shared/machine.js'
import type { Peer } from './peers.js'

const AGGLIGATOR_INSTALL = 'cargo install aggligator-util --version 0.21.5 --no-default-features'

function read(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
}

/** Why no link can be emulated here; empty where they can. */
export async function missingForLinks(): Promise<string[]> {
  const missing: string[] = []
  if (process.platform !== 'linux') missing.push('Linux: network namespaces and TUN devices are used')
  if (process.getuid?.() !== 0) missing.push('root: network namespaces and TUN devices need it')
  if (!existsSync('/dev/net/tun')) missing.push('/dev/net/tun: load the tun module')
  if (versionOf('ip', '-V') === 'not installed') missing.push('ip of iproute2')
  if (!buildGo('linksim', LINKSIM))
    missing.push('Go: bench/linksim, which emulates the links, is written in it')
  await buildNodeWorkers()
  return missing
}

export function aggligatorVersion(): string {
  return versionOf('agg-tunnel', '--version')
}

/** Why a peer can't run here; undefined where it can. */
export function missingFor(peer: Peer): string | undefined {
  const languages = [peer.dials, peer.listens]
  if (languages.includes('go') && !buildGo('go', GO_PEER))
    return 'Go is not installed, or bench/go does not build'
  if (languages.includes('node') && peer.kind === 'multipath' && libraryBuild() === undefined) {
    return 'dist/ is not built (npm run build)'
  }
  if (peer.id === 'mptcp' && read('/proc/sys/net/mptcp/enabled') !== '1')
    return 'the kernel has no MPTCP, or it is off'
  if (peer.reach === 'tunnel' && aggligatorVersion() === 'not installed')
    return `not installed: ${AGGLIGATOR_INSTALL}`
  return undefined
}

export function hasCongestionControl(name: string): boolean {
  return read('/proc/sys/net/ipv4/tcp_available_congestion_control').split(' ').includes(name)
}
