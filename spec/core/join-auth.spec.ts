// SPDX-License-Identifier: Apache-2.0
/** Subflows that join, and have to prove that they belong to the connection. */
import { beforeEach, describe, expect, it, test } from 'vitest'
import { encodeFin, encodeReset, RESET } from '../../lib/wire/end-frames.js'
import { EXTENSION, Extension, payloadOf } from '../../lib/wire/extension.js'
import { encodeHave } from '../../lib/wire/have.js'
import { encodeProof } from '../../lib/wire/proof.js'
import { CAPABILITY, encodeSettings } from '../../lib/wire/settings.js'
import { FakeJoinKeys } from '../support/fake-join-keys.js'
import { ProvingPeer } from '../support/proving-peer.js'
import type { ScriptedSubflow } from '../support/scripted-core.js'
import {
  acks,
  CAPABLE,
  data,
  EXTENDS,
  FIN,
  GO,
  HOLD,
  PING,
  PONG,
  ScriptedCore,
} from '../support/scripted-core.js'

const INSTANCE = Uint8Array.from({ length: 16 }, (_, at) => at)
const OTHER_INSTANCE = INSTANCE.toReversed()
const HAVE = encodeHave({ nextFrame: 10, ranges: [] })

let core: ScriptedCore
let peer: ProvingPeer
beforeEach(() => {
  core = coreWith({})
  peer = new ProvingPeer()
})

function coreWith({ isRequired = false, secret = '' }, options = {}): ScriptedCore {
  const keys = new FakeJoinKeys(2, secret)
  return new ScriptedCore(options, () => 0.5, 'any', { isRequired: isRequired || keys.hasSecret, keys })
}

/** The first subflow, on which both sides have said their keys. */
function opened(): ScriptedSubflow {
  const first = core.join()
  first.hears(peer.greeting().words)
  first.sent()
  return first
}

function closeOf(subflow: ScriptedSubflow) {
  return core.changes.find((change) => change.subflow === subflow.subflow && change.state === 'closed')
}

describe('a subflow that joins', () => {
  it('counts once both sides have proved themselves on it', () => {
    const first = opened()
    const second = core.join()
    expect(second.sent()).toEqual(['extends', 'capable', 'ping', 'settings'])
    const { words, settings } = peer.greeting()
    second.hears(words)
    expect(second.sent()).toEqual(['pong', 'proof', 'have'])
    expect(core.states()).toEqual(['up', 'probing'])
    second.hears(peer.proof(second, settings), HAVE, data(10, 'x'))
    expect(core.states()).toEqual(['up', 'up'])
    expect(core.reads()).toBe('x')
    first.loses()
    core.writes('y')
    expect(second.sentData()).toEqual([10])
  })

  it('says a key, a nonce of its own, and as a dialer its place', () => {
    core.join({ isDialer: true }).hears(peer.greeting().words)
    const [one, two] = [core.join({ isDialer: true }), core.join({ isDialer: true })]
    const nonces = [one, two].map(({ extensions }) =>
      Buffer.from(extensions[0]!.bytes(7, 16)!).toString('hex'),
    )
    expect(new Set(nonces).size).toBe(2)
    expect([one, two].map(({ extensions }) => extensions[0]!.number(8))).toEqual([2, 3])
    expect(one.extensions[0]!.bytes(6, 32)).toEqual(new Uint8Array(32).fill(2))
  })

  it('may have heard who we are behind our hello', () => {
    core.join({ isDialer: true }).hears(peer.greeting().words)
    peer = new ProvingPeer({ isListener: true })
    const introduction = core.core.extensions.introduce(true)!
    const joins = core.join({ isDialer: true, introduction })
    expect(joins.sent()).toEqual(['pong', 'extends', 'capable', 'ping'])
    joins.extensions.push(new Extension(payloadOf(introduction.frame)))
    const { words, settings } = peer.greeting()
    joins.hears(words, peer.proof(joins, settings), HAVE)
    expect(joins.sent()).toEqual(['pong', 'proof', 'have', 'path'])
    expect(core.states()).toEqual(['up', 'up'])
  })

  const early: [string, Uint8Array][] = [
    ['data', data(10, 'EVIL')],
    ['the beginning of data', data(10, 'EVIL').subarray(0, 4)],
    ['an ack', acks(10)],
    ['a FIN', encodeFin(10)],
    ['a FIN of an earlier version', acks(FIN)],
    ['a hold', acks(HOLD)],
    ['a go', acks(GO)],
    ['a HAVE', HAVE],
    ['a RESET', encodeReset({ code: RESET.aborted })],
    ['that the connection is not known', encodeReset({ code: RESET.unknown })],
    [
      'that the listener has restarted, while another subflow knows better',
      encodeReset({ code: RESET.unknown, instance: OTHER_INSTANCE }),
    ],
  ]
  test.each(early)(
    'is closed when it brings %s before its proof, and nothing else happens',
    (_what, bytes) => {
      peer = new ProvingPeer({ instance: INSTANCE })
      const first = opened()
      core.writes('ours')
      expect(first.sentData()).toEqual([10])
      const second = core.join()
      second.hears(encodeSettingsOf(5), bytes)
      expect(core.states()).toEqual(['up', 'closed'])
      expect(core.core.peerSettings).toMatchObject({ holdMs: 30_000 })
      expect(core.core.unflushedBytes).toBe(4)
      first.hears(data(10, 'true'), acks(10))
      expect(core.reads()).toBe('true')
      expect([core.core.unflushedBytes, core.isFinished]).toEqual([0, false])
    },
  )

  it('is dialled again later when it has not proved itself', () => {
    opened()
    const second = core.join()
    second.hears(peer.greeting().words, data(10, 'EVIL'))
    expect(closeOf(second)).toMatchObject({ reason: 'unproven', error: { code: 'ERR_MULTIPATH_AUTH' } })
  })

  test.each<[string, (second: ScriptedSubflow, third: ScriptedSubflow) => Uint8Array]>([
    ['made up', () => encodeProof(new Uint8Array(32).fill(7))],
    [
      'of another subflow',
      (second) => {
        const { words, settings } = peer.greeting()
        second.hears(words)
        return peer.proof(second, settings)
      },
    ],
    [
      'of ours, sent back',
      (_second, third) =>
        encodeProof(third.extensions.find(({ type }) => type === EXTENSION.proof)!.bytes(1, 32)!),
    ],
    [
      'under another key',
      (_second, third) => {
        const stranger = new ProvingPeer({ side: 9 })
        return stranger.proof(third, stranger.greeting().settings)
      },
    ],
  ])('is closed when its proof is one %s', (_what, make) => {
    opened()
    const [second, third] = [core.join(), core.join()]
    third.hears(peer.greeting().words)
    third.hears(make(second, third))
    expect(closeOf(third)).toMatchObject({ reason: 'unproven', error: { code: 'ERR_MULTIPATH_AUTH' } })
    expect(core.isFinished).toBe(false)
  })

  it('is closed after ten seconds when it never proves itself, whatever it answers', () => {
    const first = opened()
    const second = core.join()
    second.hears(peer.greeting().words)
    for (let n = 0; n < 9; n++) {
      core.passes(1000)
      second.hears(acks(PONG, PING))
      first.hears(acks(PONG, PING))
    }
    expect(core.states()).toEqual(['up', 'probing'])
    core.passes(1001)
    expect(core.states()[1]).toBe('closed')
    expect(closeOf(second)).toMatchObject({ reason: 'unproven' })
  })

  it('does not keep an end from being told, nor hears of it', () => {
    const first = opened()
    const second = core.join()
    second.hears(peer.greeting().words)
    core.ends()
    expect(first.sent()).toContain('fin')
    first.hears(acks(10), encodeFin(10))
    expect(core.isFinished).toBe(true)
    expect(second.sent()).not.toContain('reset')
  })

  it('changes nothing when it says its SETTINGS again, or its PROOF', () => {
    opened()
    const second = core.join()
    const { words, settings } = peer.greeting()
    second.hears(words, peer.greeting().settings, ...Array<Uint8Array>(2).fill(peer.proof(second, settings)))
    expect(core.states()).toEqual(['up', 'up'])
  })

  it('closes with a key that is none', () => {
    peer = new ProvingPeer({ publicKey: new Uint8Array(32) })
    opened()
    const second = core.join()
    second.hears(peer.greeting().words, encodeProof(new Uint8Array(32)))
    expect(core.states()).toEqual(['up', 'closed'])
  })
})

describe('a subflow that joins before the first has shown what the peer is', () => {
  const go = acks(PONG, PING)
  const earlier = acks(PONG, CAPABLE, PING)

  test.each([
    ['a Go peer', go],
    ['one of ours of an earlier version', earlier],
  ])('waits for that, and counts as ever where it is %s', (_what, words) => {
    const [first, second] = [core.join(), core.join()]
    second.hears(words, data(10, 'early'))
    expect(core.reads()).toBe('')
    first.hears(words)
    expect(core.reads()).toBe('early')
    expect(second.sent()).toEqual(['extends', 'capable', 'ping', 'pong', 'ack 10'])
    expect(core.states()).toEqual(['up', 'up'])
  })

  it('has to prove itself where the peer can', () => {
    const [first, evil, second] = [core.join(), core.join(), core.join()]
    evil.hears(go, data(10, 'EVIL'))
    const { words, settings } = peer.greeting()
    second.hears(words)
    first.hears(peer.greeting().words)
    expect(core.states()).toEqual(['up', 'closed', 'probing'])
    second.hears(peer.proof(second, settings), data(10, 'true'))
    expect(core.reads()).toBe('true')
  })

  it('is read as soon as the first is gone, or owes an answer for too long', () => {
    const [first, second] = [core.join(), core.join()]
    second.hears(go, data(10, 'a'))
    first.loses()
    core.flush()
    expect(core.reads()).toBe('a')
    core = coreWith({})
    const other = [core.join(), core.join()][1]!
    other.hears(go, data(10, 'b'))
    core.passes(4000)
    expect(core.reads()).toBe('b')
  })

  it('tells the key itself where the first was lost before it had', () => {
    const [first, second] = [core.join(), core.join()]
    first.loses()
    const { words, settings } = peer.greeting()
    second.hears(words)
    second.hears(peer.proof(second, settings), data(10, 'x'))
    expect(core.reads()).toBe('x')
    const evil = core.join()
    evil.hears(new ProvingPeer({ side: 9 }).greeting().words, data(11, 'EVIL'))
    expect(core.states()).toEqual(['closed', 'up', 'closed'])
  })
})

describe('a peer that cannot prove anything', () => {
  const noKey = encodeSettings({ holdMs: 30_000 })

  test.each([
    ['a Go peer', [acks(PONG, PING)]],
    ['one of ours of an earlier version', [acks(PONG, CAPABLE, PING)]],
    ['one of ours that takes extension frames, and has no key', [acks(PONG, EXTENDS, CAPABLE, PING), noKey]],
  ])('is asked for nothing: %s', (_what, words) => {
    const first = core.join()
    first.hears(...words)
    const second = core.join()
    second.hears(...words, data(10, 'x'))
    expect(core.reads()).toBe('x')
    expect(second.sent()).not.toContain('proof')
    expect(core.states()).toEqual(['up', 'up'])
  })

  test.each([
    ['a Go peer', [acks(PONG, PING)]],
    ['one of ours without a key', [acks(PONG, EXTENDS, CAPABLE, PING), noKey]],
  ])('ends the connection where proofs are required: %s', (_what, words) => {
    core = coreWith({ isRequired: true })
    core.join().hears(...words)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_AUTH' })
  })

  it('stays one whatever other subflows say: what the first one has said decides', () => {
    const first = core.join()
    first.hears(acks(PONG, EXTENDS, CAPABLE, PING), noKey)
    const second = core.join()
    second.hears(peer.greeting().words, data(10, 'x'))
    expect(core.reads()).toBe('x')
  })
})

describe('a connection that is suspended', () => {
  function suspended(secret = ''): void {
    core = coreWith({ secret })
    peer = new ProvingPeer({ instance: INSTANCE, isListener: true, secret })
    const first = core.join({ isDialer: true })
    if (secret === '') first.hears(peer.greeting().words)
    else peer.proves(first)
    core.writes('123')
    first.loses()
    expect(core.core.isSuspended).toBe(true)
  }

  it('is not resumed by whoever has not proved itself, and its hold time goes on', () => {
    suspended()
    const evil = core.join({ isDialer: true })
    evil.hears(new ProvingPeer({ side: 9, isListener: true }).greeting().words)
    expect(core.core.isSuspended).toBe(true)
    evil.hears(HAVE)
    expect([core.core.isSuspended, core.states()]).toEqual([true, ['closed', 'closed']])
    const next = core.join({ isDialer: true })
    peer.proves(next)
    expect(core.core.isSuspended).toBe(false)
    expect(next.sentData()).toEqual([])
    next.hears(HAVE)
    expect(next.sentData()).toEqual([10])
  })

  it('is suspended all the same while an unproven subflow is there', () => {
    core = coreWith({})
    peer = new ProvingPeer()
    const first = opened()
    core.join().hears(new ProvingPeer({ side: 9 }).greeting().words)
    first.loses()
    expect(core.core.isSuspended).toBe(true)
    core.passes(30_000)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD' })
  })

  it('believes the same listener that it is not known only with a proof', () => {
    suspended()
    const unknown = encodeReset({ code: RESET.unknown, instance: INSTANCE })
    core.join({ isDialer: true }).hears(acks(EXTENDS, CAPABLE), unknown)
    expect(core.isFinished).toBe(false)
    const next = core.join({ isDialer: true })
    peer.proves(next)
    next.hears(unknown)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD', unackedBytes: 3 })
  })

  it('believes another listener that it has restarted, since that has no key of before', () => {
    suspended()
    const restarted = encodeReset({ code: RESET.unknown, instance: OTHER_INSTANCE })
    core.join({ isDialer: true }).hears(acks(EXTENDS, CAPABLE), restarted)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_RESTARTED' })
  })

  it('believes it another listener that proves what it can, with a key of its own', () => {
    suspended()
    const next = core.join({ isDialer: true })
    new ProvingPeer({ side: 9, isListener: true, instance: OTHER_INSTANCE }).proves(next)
    next.hears(encodeReset({ code: RESET.unknown, instance: OTHER_INSTANCE }))
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_RESTARTED' })
  })

  it('takes nothing else from another listener', () => {
    suspended()
    for (const words of [data(10, 'x'), HAVE, encodeReset({ code: RESET.unknown, instance: INSTANCE })]) {
      const next = core.join({ isDialer: true })
      new ProvingPeer({ side: 9, isListener: true, instance: OTHER_INSTANCE }).proves(next)
      next.hears(words)
      expect(core.states().at(-1)).toBe('closed')
    }
    expect(core.isFinished).toBe(false)
  })

  it('with a secret, believes that only one that knows it, too', () => {
    suspended('of both')
    const restarted = encodeReset({ code: RESET.unknown, instance: OTHER_INSTANCE })
    core.join({ isDialer: true }).hears(acks(EXTENDS, CAPABLE), restarted)
    expect(core.isFinished).toBe(false)
    const evil = core.join({ isDialer: true })
    new ProvingPeer({ side: 9, isListener: true, instance: OTHER_INSTANCE }).proves(evil)
    expect(core.states().at(-1)).toBe('closed')
    const next = core.join({ isDialer: true })
    new ProvingPeer({ side: 9, isListener: true, instance: OTHER_INSTANCE, secret: 'of both' }).proves(next)
    expect(core.core.isSuspended).toBe(true)
    next.hears(restarted)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_RESTARTED' })
  })
})

describe('a secret', () => {
  beforeEach(() => {
    core = coreWith({ secret: 'of both' })
    peer = new ProvingPeer({ secret: 'of both' })
  })

  it('has to be proven on the first subflow before it carries anything', () => {
    const first = core.join()
    core.writes('ours')
    const { words, settings } = peer.greeting()
    first.hears(words)
    expect(first.sent()).toEqual(['extends', 'capable', 'ping', 'pong', 'settings', 'proof'])
    expect(core.states()).toEqual(['probing'])
    first.hears(peer.proof(first, settings), data(10, 'theirs'))
    expect(first.sentData()).toEqual([10])
    expect(core.reads()).toBe('theirs')
  })

  test.each<[string, (first: ScriptedSubflow) => void]>([
    ['does not know it', (first) => new ProvingPeer().proves(first)],
    ['knows another', (first) => new ProvingPeer({ secret: 'of others' }).proves(first)],
    ['sends data without a proof', (first) => first.hears(peer.greeting().words, data(10, 'EVIL'))],
    ['ends without a proof', (first) => first.hears(peer.greeting().words, encodeFin(10))],
    [
      'aborts without a proof',
      (first) => first.hears(peer.greeting().words, encodeReset({ code: RESET.aborted })),
    ],
    [
      'closes without a proof',
      (first) => {
        first.hears(peer.greeting().words)
        first.loses()
      },
    ],
    ['has no key', (first) => first.hears(acks(PONG, EXTENDS, CAPABLE, PING), encodeSettings({ holdMs: 1 }))],
    ['passes for a Go peer', (first) => first.hears(acks(PONG, PING), data(10, 'EVIL'))],
    ['says nothing of itself for ten seconds', () => core.passes(10_000)],
  ])('ends the connection before any byte is delivered when the peer %s', (_what, deed) => {
    deed(core.join())
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_AUTH' })
    expect(core.reads()).toBe('')
  })

  it('is proven before anything else is said, also where the peer says who it is and proves it in one go', () => {
    const first = core.join()
    first.hears(acks(PONG, EXTENDS, CAPABLE, PING))
    first.sent()
    const { settings } = new ProvingPeer({ capabilities: CAPABILITY.window }).greeting()
    first.hears(Buffer.concat([settings, peer.proof(first, settings)]))
    expect(first.sent()).toEqual(['proof', 'window'])
  })

  test.each<[string, Uint8Array]>([
    ['a ping, as a Go peer', acks(PONG, PING)],
    ['data, as a Go peer', data(10, 'EVIL')],
    ['what an earlier version says', acks(PONG, CAPABLE, PING)],
    ['a key and a false proof', Buffer.concat([encodeSettingsOf(5), encodeProof(new Uint8Array(32))])],
    ['no key', Buffer.concat([acks(EXTENDS, CAPABLE), encodeSettings({ holdMs: 5 })])],
  ])('leaves a subflow that joins early and says %s without a say in what the peer is', (_what, words) => {
    const [first, evil] = [core.join(), core.join()]
    evil.hears(words)
    peer.proves(first)
    first.hears(data(10, 'true'))
    for (let n = 0; n < 11; n++) {
      core.passes(1000)
      first.hears(acks(PONG, PING))
    }
    expect([core.reads(), core.states()]).toEqual(['true', ['up', 'closed']])
    expect(core.error).toBeUndefined()
  })

  test.each<[string, (first: ScriptedSubflow) => void]>([
    ['proves nothing', (first) => new ProvingPeer().proves(first)],
    ['brings data', (first) => first.hears(data(11, 'EVIL'))],
    ['says nothing', () => core.passes(10_000)],
  ])(
    'may be proven by another subflow first, and then the first one closes alone when it %s',
    (_what, deed) => {
      const [first, second] = [core.join(), core.join()]
      peer.proves(second)
      second.hears(data(10, 'true'))
      expect([core.reads(), core.states()]).toEqual(['true', ['probing', 'up']])
      second.hears(acks(PONG, PONG))
      deed(first)
      expect([core.error, core.states()[0], core.reads()]).toEqual([undefined, 'closed', ''])
    },
  )

  it('tells a peer without it why the connection ends', () => {
    const first = core.join()
    first.hears(new ProvingPeer().greeting().words, data(10, 'x'))
    expect(first.sent().at(-1)).toBe('reset')
    core = coreWith({})
    core
      .join()
      .hears(new ProvingPeer().greeting().words, encodeReset({ code: 1, reason: 'ERR_MULTIPATH_AUTH' }))
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_AUTH' })
  })

  it('is missed by a side that has none as well', () => {
    core = coreWith({})
    peer.proves(core.join())
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_AUTH' })
  })
})

function encodeSettingsOf(holdMs: number): Uint8Array {
  const { publicKey } = new FakeJoinKeys(9)
  return Buffer.concat([
    acks(EXTENDS, CAPABLE, PING),
    encodeSettings({ holdMs, publicKey, nonce: new Uint8Array(16) }),
  ])
}
