// SPDX-License-Identifier: Apache-2.0
/** The bytes of WINDOW, as docs/protocol.md gives them. */
import { describe, expect, it, test } from 'vitest'
import { RemoteProtocolError } from '../../lib/errors.js'
import { Extension, payloadOf } from '../../lib/wire/extension.js'
import { decodeWindow, encodeWindow } from '../../lib/wire/window-frame.js'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const shown = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('WINDOW as bytes', () => {
  it('is how far data is taken', () => {
    const wire = hex('07 02 07  01 04 80800000')
    expect(shown(encodeWindow({ limitBytes: 8_388_608 }))).toBe(shown(wire))
    expect(decodeWindow(new Extension(payloadOf(wire)))).toEqual({ limitBytes: 8_388_608, isAsking: false })
  })

  it('is the question how far the peer takes it', () => {
    const wire = hex('04 02 07  02 01 01')
    expect(shown(encodeWindow({ isAsking: true }))).toBe(shown(wire))
    expect(decodeWindow(new Extension(payloadOf(wire)))).toEqual({ limitBytes: undefined, isAsking: true })
  })

  test.each([
    ['a limit that is no number', '07 01 02 0000'],
    ['a limit above 2^53 - 1', '07 01 08 ffffffffffffffff'],
    ['a question that is neither asked nor not', '07 02 01 02'],
  ])('with %s is a violation', (_what, bytes) => {
    expect(() => decodeWindow(new Extension(hex(bytes)))).toThrow(RemoteProtocolError)
  })
})
