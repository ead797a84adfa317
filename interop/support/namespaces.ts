// SPDX-License-Identifier: Apache-2.0
/** Two network namespaces, a client's and a server's, for what needs interfaces of its own. Needs root on Linux. */
import { execFileSync } from 'node:child_process'

export function ip(...args: string[]): string {
  return execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString()
}

/** Why there can be none here; `undefined`: there can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'network namespaces need root on Linux'
  const probe = `probe-${process.pid}`
  try {
    ip('netns', 'add', probe)
    ip('netns', 'delete', probe)
    return undefined
  } catch (error) {
    return `no network namespaces: ${(error as Error).message}`
  }
}

export class Namespaces implements Disposable {
  readonly client: string
  readonly server: string

  /** @param build - what is in them; nothing is left of them where it throws */
  constructor(name: string, build: (namespaces: Namespaces) => void) {
    this.client = `${name}-c-${process.pid}`
    this.server = `${name}-s-${process.pid}`
    try {
      for (const one of [this.client, this.server]) {
        ip('netns', 'add', one)
        ip('-n', one, 'link', 'set', 'lo', 'up')
      }
      build(this)
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
  }

  /** What to put before a command that is to run on that side. */
  within(side: 'client' | 'server'): string[] {
    return ['ip', 'netns', 'exec', this[side]]
  }

  [Symbol.dispose](): void {
    for (const name of [this.client, this.server]) {
      try {
        ip('netns', 'delete', name)
      } catch {
        // It was never there.
      }
    }
  }
}
