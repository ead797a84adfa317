// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { addresses, PEERS, PLAIN } from '../../bench/links/peers.js'

const [ours, mptcp] = ['ours', 'mptcp'].map((id) => PEERS.find((peer) => peer.id === id)!)

describe('the addresses of a peer', () => {
  it('are those of all links, the client at 1 and the server at 2', () => {
    expect(addresses(ours!, 'bulk', 2)).toEqual({
      listen: '10.77.0.2:7000,10.77.1.2:7000',
      dial: '10.77.0.2:7000,10.77.1.2:7000',
      locals: '10.77.0.1,10.77.1.1',
    })
  })

  it('are exchanged for the bulk that goes back', () => {
    expect(addresses(ours!, 'back', 2)).toMatchObject({
      dial: '10.77.0.1:7003,10.77.1.1:7003',
      locals: '10.77.0.2,10.77.1.2',
    })
    expect(addresses(mptcp!, 'back', 2)).toMatchObject({ dial: '10.77.0.1:7003' })
  })

  it('are those of the first link for plain TCP beside another', () => {
    expect(addresses(PLAIN, 'plain', 2)).toMatchObject({ dial: '10.77.0.2:7002', locals: '10.77.0.1' })
  })
})
