// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest'
import { RemoteProtocolError } from '../../lib/errors.js'
import { encodeExtension, EXTENSION, Extension, payloadOf } from '../../lib/wire/extension.js'
import { decodeParallel, encodeParallel } from '../../lib/wire/parallel-frame.js'

it('has a number, and comes back as it went', () => {
  const wire = encodeParallel(4)
  expect(Buffer.from(wire).toString('hex')).toBe('0402' + '09010104')
  expect(decodeParallel(new Extension(payloadOf(wire)))).toBe(4)
})

it('is refused without one', () => {
  const none = encodeExtension(EXTENSION.parallel, new Map())
  expect(() => decodeParallel(new Extension(payloadOf(none)))).toThrow(RemoteProtocolError)
  expect(() => decodeParallel(new Extension(payloadOf(encodeParallel(0))))).toThrow(RemoteProtocolError)
})
