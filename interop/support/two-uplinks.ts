/**
 * A machine with two uplinks, c1 (10.81.1.1) and c2 (10.81.2.1), and routes as a system sets them up by itself: a
 * default route by each, that of c1 first. Behind both is a server, 10.81.9.1. Two network namespaces; needs root.
 */
import { execFileSync } from 'node:child_process'

const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: 'pipe' })

/** Why there can be none here; `undefined`: there can. */
export function whyNoUplinks(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'network namespaces need root on Linux'
  const probe = `doctor-probe-${process.pid}`
  try {
    ip('netns', 'add', probe)
    ip('netns', 'delete', probe)
    return undefined
  } catch (error) {
    return `no network namespaces: ${(error as Error).message}`
  }
}

export class TwoUplinks implements Disposable {
  readonly #client = `doctor-c-${process.pid}`
  readonly #server = `doctor-s-${process.pid}`

  constructor() {
    try {
      this.#build()
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
  }

  /** What to put before a command that is to run on that side. */
  within(side: 'client' | 'server'): string[] {
    return ['ip', 'netns', 'exec', side === 'client' ? this.#client : this.#server]
  }

  /** Runs a line of shell on the client. */
  run(line: string): void {
    const [program, ...words] = [...this.within('client'), 'sh', '-ec', line]
    execFileSync(program, words, { stdio: 'pipe' })
  }

  [Symbol.dispose](): void {
    for (const name of [this.#client, this.#server]) {
      try {
        ip('netns', 'delete', name)
      } catch {
        // It was never there.
      }
    }
  }

  #build(): void {
    const [client, server] = [this.#client, this.#server]
    for (const name of [client, server]) {
      ip('netns', 'add', name)
      ip('-n', name, 'link', 'set', 'lo', 'up')
    }
    ip('-n', server, 'address', 'add', '10.81.9.1/32', 'dev', 'lo')
    for (const n of [1, 2]) {
      ip('link', 'add', `c${n}`, 'netns', client, 'type', 'veth', 'peer', 'name', `s${n}`, 'netns', server)
      ip('-n', client, 'address', 'add', `10.81.${n}.1/24`, 'dev', `c${n}`)
      ip('-n', server, 'address', 'add', `10.81.${n}.2/24`, 'dev', `s${n}`)
      ip('-n', client, 'link', 'set', `c${n}`, 'up')
      ip('-n', server, 'link', 'set', `s${n}`, 'up')
    }
    for (const n of [1, 2])
      ip('-n', client, 'route', 'add', 'default', 'via', `10.81.${n}.2`, 'dev', `c${n}`, 'metric', `${n}00`)
    // Whatever this machine's own default is.
    for (const name of ['all', 'c1', 'c2']) this.run(`echo 0 > /proc/sys/net/ipv4/conf/${name}/rp_filter`)
  }
}
