// SPDX-License-Identifier: Apache-2.0
/**
 * A machine whose uplinks come and go: uplink 1 is the interface `up1` with 10.83.1.2/24, and so on, each source address with
 * a route table of its own. Behind them is a server, 10.83.250.1.
 */
import { ip, Namespaces } from './namespaces.js'

export const SERVER = '10.83.250.1'

export class Uplinks implements Disposable {
  readonly #namespaces: Namespaces
  readonly #client: string
  readonly #server: string

  /** @param count - uplinks that are there from the beginning */
  constructor(count: number) {
    this.#namespaces = new Namespaces('uplinks', ({ server }) => {
      ip('-n', server, 'address', 'add', `${SERVER}/32`, 'dev', 'lo')
    })
    this.#client = this.#namespaces.client
    this.#server = this.#namespaces.server
    try {
      for (let uplink = 1; uplink <= count; uplink++) this.plug(uplink)
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
  }

  within(side: 'client' | 'server'): string[] {
    return this.#namespaces.within(side)
  }

  /** A new interface, with the address 10.83.UPLINK.2. */
  plug(uplink: number): void {
    const name = `up${uplink}`
    ip(
      'link',
      'add',
      name,
      'netns',
      this.#client,
      'type',
      'veth',
      'peer',
      'name',
      name,
      'netns',
      this.#server,
    )
    ip('-n', this.#server, 'address', 'add', `10.83.${uplink}.1/24`, 'dev', name)
    ip('-n', this.#server, 'link', 'set', name, 'up')
    ip('-n', this.#client, 'link', 'set', name, 'up')
    this.addAddress(uplink, 2)
  }

  /** The address 10.83.UPLINK.HOST, with its routes. */
  addAddress(uplink: number, host: number): void {
    const address = `10.83.${uplink}.${host}`
    ip('-n', this.#client, 'address', 'add', `${address}/24`, 'dev', `up${uplink}`)
    ip('-n', this.#client, 'rule', 'add', 'from', address, 'table', `${100 + uplink}`)
    this.#route(uplink)
  }

  removeAddress(uplink: number, host: number): void {
    const address = `10.83.${uplink}.${host}`
    ip('-n', this.#client, 'rule', 'delete', 'from', address)
    ip('-n', this.#client, 'address', 'delete', `${address}/24`, 'dev', `up${uplink}`)
  }

  /** All frames go to a machine that is not there, both ways: nothing is refused, and nothing arrives. */
  silence(uplink: number): void {
    this.#wrongNeighbour(this.#client, uplink, 1)
    this.#wrongNeighbour(this.#server, uplink, 2)
  }

  /** Ends a {@link silence}. */
  restore(uplink: number): void {
    for (const [namespace, host] of [
      [this.#client, 1],
      [this.#server, 2],
    ] as const)
      ip('-n', namespace, 'neigh', 'delete', `10.83.${uplink}.${host}`, 'dev', `up${uplink}`)
  }

  #wrongNeighbour(namespace: string, uplink: number, host: number): void {
    const neighbour = [`10.83.${uplink}.${host}`, 'lladdr', '02:00:00:00:00:99', 'nud', 'permanent']
    ip('-n', namespace, 'neigh', 'replace', ...neighbour, 'dev', `up${uplink}`)
  }

  down(uplink: number): void {
    ip('-n', this.#client, 'link', 'set', `up${uplink}`, 'down')
  }

  /** Addresses and rules stay while an interface is down; its routes do not. */
  up(uplink: number): void {
    ip('-n', this.#client, 'link', 'set', `up${uplink}`, 'up')
    this.#route(uplink)
  }

  /** Bytes that have left by it, headers included. */
  sent(uplink: number): number {
    const [link] = JSON.parse(ip('-n', this.#client, '-s', '-j', 'link', 'show', 'dev', `up${uplink}`)) as [
      { stats64: { tx: { bytes: number } } },
    ]
    return link.stats64.tx.bytes
  }

  [Symbol.dispose](): void {
    this.#namespaces[Symbol.dispose]()
  }

  #route(uplink: number): void {
    const via = ['default', 'via', `10.83.${uplink}.1`, 'dev', `up${uplink}`, 'table', `${100 + uplink}`]
    ip('-n', this.#client, 'route', 'replace', ...via)
  }
}
