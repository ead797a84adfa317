// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { unixDialer } from '../../lib/index.js'

describe('a path over a Unix socket', () => {
  it('has the label of its place, or the one given', () => {
    expect(unixDialer({ path: '/run/x.sock' }).label).toBe('unix:/run/x.sock')
    expect(unixDialer({ path: '/run/x.sock', label: 'near' }).label).toBe('near')
  })

  it.each([[{}], [{ path: '' }], [{ path: 5 }], [{ path: 'x', label: 5 }]])(
    'with %j is refused',
    (options) => {
      expect(() => unixDialer(options as never)).toThrow(
        expect.objectContaining({ multipathCode: 'ERR_MULTIPATH_OPTION' }) as Error,
      )
    },
  )

  it('keeps its policy', () => {
    expect(unixDialer({ path: 'x', tier: 'backup', weight: 3 }).policy).toMatchObject({
      tier: 'backup',
      weight: 3,
    })
  })
})
