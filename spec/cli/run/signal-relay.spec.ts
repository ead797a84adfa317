// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest'
import { SignalRelay } from '../../../lib/cli/run/signal-relay.js'

function relayed(act: (relay: SignalRelay, wait: (ms: number) => void) => void): NodeJS.Signals[] {
  const sent: NodeJS.Signals[] = []
  let now = 0
  const relay = new SignalRelay({ send: (name) => sent.push(name), now: () => now })
  act(relay, (ms) => {
    now += ms
  })
  return sent
}

it('passes a signal on that the command alone has got', () => {
  expect(relayed((relay) => relay.passOn('SIGINT'))).toEqual(['SIGINT'])
})

it('passes none on that the terminal has sent to the program as well', () => {
  const sent = relayed((relay) => {
    for (const name of ['SIGINT', 'SIGINT'] as const) {
      relay.heard(name)
      relay.passOn(name)
    }
  })
  expect(sent).toEqual([])
})

it('passes another signal on', () => {
  const sent = relayed((relay) => {
    relay.heard('SIGINT')
    relay.passOn('SIGTERM')
  })
  expect(sent).toEqual(['SIGTERM'])
})

it('passes a signal on that comes a second after one from the terminal', () => {
  const sent = relayed((relay, wait) => {
    relay.heard('SIGINT')
    wait(1001)
    relay.passOn('SIGINT')
  })
  expect(sent).toEqual(['SIGINT'])
})
