// SPDX-License-Identifier: Apache-2.0
/** What a peer sends that a receiver of messages without an order takes, or does not. */
import { beforeEach, describe, expect, it } from 'vitest'
import { MessageExchange } from '../../lib/conn/message-exchange.js'
import { encodeWhole } from '../../lib/messages/part.js'
import { encodeDatagramHead } from '../../lib/wire/datagram.js'
import { encodeSettings } from '../../lib/wire/settings.js'
import type { ScriptedSubflow } from '../support/scripted-core.js'
import { CAPABLE, EXTENDS, ScriptedCore } from '../support/scripted-core.js'

let core: ScriptedCore
let subflow: ScriptedSubflow
let exchange: MessageExchange
beforeEach(() => {
  core = new ScriptedCore()
  subflow = core.joinUp({ rttMs: 20 }, EXTENDS, CAPABLE)
  subflow.hears(encodeSettings({ holdMs: 0, capabilities: 4 }))
  exchange = new MessageExchange(core.core.datagrams, 1000)
})

function message(number: number, text: string, lifeMs = 0): Buffer {
  const part = encodeWhole(Buffer.from(text))
  return Buffer.concat([encodeDatagramHead({ number, stamp: 0, lifeMs }, part.length), part])
}

describe('a part of a message', () => {
  it('may come again long after, from a path that was silent meanwhile', () => {
    subflow.hears(message(1, 'one'), message(70_000, 'two'), message(1, 'one'))
    expect(exchange.hear(core.now)).toBe(true)
    expect([exchange.take(), exchange.take(), exchange.take()].map(String)).toEqual([
      'one',
      'two',
      'undefined',
    ])
    expect(core.core.datagrams.stats).toMatchObject({ late: 1 })
  })

  it('must not become late', () => {
    subflow.hears(message(1, 'one', 5))
    core.passes(10)
    expect(() => exchange.hear(core.now)).toThrow('more messages than it was allowed to')
  })
})
