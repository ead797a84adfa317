// SPDX-License-Identifier: Apache-2.0
/** The bytes of STARVING, as docs/protocol.md gives them. */
import { describe, expect, it, test } from 'vitest'
import { RemoteProtocolError } from '../../lib/errors.js'
import { Extension, payloadOf } from '../../lib/wire/extension.js'
import { decodeStarving, encodeStarving } from '../../lib/wire/starving-frame.js'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

describe('STARVING as bytes', () => {
  it('is the number of the missing frame', () => {
    const wire = hex('05 02 08  01 02 500b')
    expect(Buffer.from(encodeStarving(4107))).toEqual(wire)
    expect(decodeStarving(new Extension(payloadOf(wire)))).toBe(4107)
  })

  test.each(['08', '08 01 01 09', '08 01 02 0000'])('without a frame number is a violation: %s', (bytes) => {
    expect(() => decodeStarving(new Extension(hex(bytes)))).toThrow(RemoteProtocolError)
  })
})
