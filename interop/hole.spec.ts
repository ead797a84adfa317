// SPDX-License-Identifier: Apache-2.0
/** Go's Write of 0 bytes uses up a frame number and sends no frame (conn.go, Write): the stream has a hole for ever. */
import { expect, it } from 'vitest'
import { receive } from './support/node-side.js'
import { openPair } from './support/pair.js'
import { CASES, describeWithGo } from './support/with-go.js'

/** Signs of life in plenty within the time that a missing frame has. */
const connOptions = { missingMs: 2_000, keepAliveMs: 100 }

describeWithGo('A hole that Go leaves in its stream', (go) => {
  it.each(CASES)(
    'is an error that names the frame, after all that came before: $paths path(s), $dials dialling $listens',
    async ({ dials, paths }) => {
      await using pair = await openPair(go(), { dials, paths, connOptions })
      const reading = receive(pair.node, { seed: 1 })
      await pair.go.write(Buffer.from('before'))
      await pair.go.write(Buffer.alloc(0))
      await pair.go.write(Buffer.from('behind'))
      const { bytes, error } = await reading
      expect(bytes).toBe('before'.length)
      expect(error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
      expect(error?.message).toContain('frame 11 is missing')
    },
  )
})
