// SPDX-License-Identifier: Apache-2.0
/** Paths that fall silent one after another and come back, as in the module's own end-to-end test. */
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { TIME_FOR_TRIES_MS, withGoThatResends } from './support/go-locked.js'
import { echo, receive, send } from './support/node-side.js'
import { openPair, type Pair } from './support/pair.js'
import { mixedSizes } from './support/seeded-data.js'
import { CASES, describeWithGo, type Side } from './support/with-go.js'

const MIB = 1_048_576
const ROUND_TRIPS = 5
/** Sizes of the messages at the end of the module's test: random up to 80 KiB. */
const LARGE = mixedSizes(5, 10, 1, 81_920)
const SILENCE_MS = 2_000

/** Sends `bytes` from `client` to the other side's echo and checks what comes back. */
async function roundTrip(pair: Pair, client: Side, bytes: number, seed: number): Promise<void> {
  const end = client === 'Go' ? pair.go : undefined
  const message = { bytes, sizes: [bytes], seed }
  const [back] = end
    ? await Promise.all([end.receive(message), end.send(message)])
    : await Promise.all([receive(pair.node, message), send(pair.node, message)])
  expect(back).toMatchObject({ bytes, mismatchAt: -1 })
}

async function someRoundTrips(pair: Pair, client: Side): Promise<void> {
  for (let i = 0; i < ROUND_TRIPS; i++) await roundTrip(pair, client, 4, i)
}

function serveEcho(pair: Pair, client: Side): void {
  if (client === 'Node') void pair.go.echo().catch(() => undefined)
  else echo(pair.node)
}

describeWithGo('Frozen paths', (go) => {
  const withClients = CASES.flatMap((each) => [
    { ...each, client: 'Node' as const },
    { ...each, client: 'Go' as const },
  ])

  // Most of the time of each is waiting, and each has a connection of its own: side by side.
  describe.concurrent.each(withClients.filter(({ paths }) => paths > 1))(
    'of $paths, $dials dialling $listens, $client sending to an echo',
    ({ dials, paths, client }) => {
      it('leave the connection working until one is left, and carry it again when they thaw', async () => {
        await using pair = await openPair(go(), { dials, paths, relayed: true })
        serveEcho(pair, client)
        await someRoundTrips(pair, client)
        for (const relay of pair.relays.slice(0, -1)) {
          relay.freeze()
          await someRoundTrips(pair, client)
        }
        pair.relays[0]!.thaw()
        pair.relays.at(-1)!.freeze()
        await someRoundTrips(pair, client)
        for (const bytes of LARGE) await roundTrip(pair, client, bytes, bytes)
        for (const relay of pair.relays) relay.thaw()
        for (const bytes of LARGE) await roundTrip(pair, client, bytes, bytes)
      })
    },
  )

  describe.concurrent.each(withClients.filter(({ paths }) => paths === 1))(
    'of $paths, $dials dialling $listens, $client sending to an echo',
    ({ dials, paths, client }) => {
      it('delay what is sent, and lose nothing', async () => {
        await using pair = await openPair(go(), { dials, paths, relayed: true })
        serveEcho(pair, client)
        await someRoundTrips(pair, client)
        pair.relays[0]!.freeze()
        const delayed = roundTrip(pair, client, MIB, 1)
        await delay(SILENCE_MS)
        pair.relays[0]!.thaw()
        await delayed
        await someRoundTrips(pair, client)
      })
    },
  )

  describe.each(CASES.filter(({ paths }) => paths > 1))(
    'of $paths under load, $dials dialling $listens',
    ({ dials, paths }) => {
      it('cost Node nothing that it sends', async () => {
        await using pair = await openPair(go(), { dials, paths, relayed: true })
        const bytes = 64 * MIB
        const atGo = pair.go.receive({ bytes, seed: 3 })
        const sent = send(pair.node, { bytes, seed: 3 })
        await Promise.race(pair.relays.map((relay) => relay.passed(pair.nodeDialer ? 'up' : 'down', MIB)))
        for (const relay of pair.relays.slice(1)) relay.freeze()
        expect(await atGo).toMatchObject({ bytes, mismatchAt: -1 })
        await sent
      })

      // A frame that waits for a silent subflow's turn is not among those that Go's timer resends, so its stream
      // may stand still until the path is back. It must be whole then.
      it('cost Go nothing that it sends, once they thaw', { timeout: TIME_FOR_TRIES_MS }, async () => {
        await withGoThatResends({ dials, paths, relayed: true }, async (pair) => {
          const bytes = 64 * MIB
          const atNode = receive(pair.node, { bytes, seed: 4 })
          const sent = pair.go.send({ bytes, seed: 4 })
          await Promise.race(pair.relays.map((relay) => relay.passed(pair.nodeDialer ? 'down' : 'up', MIB)))
          for (const relay of pair.relays.slice(1)) relay.freeze()
          await Promise.race([atNode, delay(SILENCE_MS)])
          for (const relay of pair.relays) relay.thaw()
          expect(await atNode).toMatchObject({ bytes, mismatchAt: -1 })
          await sent
        })
      })
    },
  )
})
