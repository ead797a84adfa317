// SPDX-License-Identifier: Apache-2.0
/**
 * A machine with two uplinks, c1 (10.81.1.1) and c2 (10.81.2.1), and routes as a system sets them up by itself: a
 * default route by each, that of c1 first. Behind both is a server, 10.81.9.1.
 */
import { execFileSync } from 'node:child_process'
import { ip, Namespaces } from './namespaces.js'

export class TwoUplinks implements Disposable {
  readonly #namespaces = new Namespaces('doctor', build)

  within(side: 'client' | 'server'): string[] {
    return this.#namespaces.within(side)
  }

  /** Runs a line of shell on the client. */
  run(line: string): void {
    runIn(this.#namespaces, line)
  }

  [Symbol.dispose](): void {
    this.#namespaces[Symbol.dispose]()
  }
}

function runIn(namespaces: Namespaces, line: string): void {
  const [program, ...words] = [...namespaces.within('client'), 'sh', '-ec', line]
  execFileSync(program, words, { stdio: 'pipe' })
}

function build(namespaces: Namespaces): void {
  const { client, server } = namespaces
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
  for (const name of ['all', 'c1', 'c2'])
    runIn(namespaces, `echo 0 > /proc/sys/net/ipv4/conf/${name}/rp_filter`)
}
