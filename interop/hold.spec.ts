// SPDX-License-Identifier: Apache-2.0
/** A connection between two processes whose links all go, or that stand still: `npm run drill:hold` has it at full size. */
import { describe, expect, it } from 'vitest'
import type { Way } from './support/hold-drill.js'
import { drill, drillPrograms } from './support/hold-process.js'
import { whyNoNamespaces } from './support/namespaces.js'
import { whyNoPrograms } from './support/programs-drill.js'

const BYTES = 32 * 1024 * 1024
const SECONDS = 5
/** A second is what is asked for; a machine that runs other specs gets more. */
const MAX_FIRST_BYTE_MS = 3000
const why = whyNoNamespaces()
const whyNot = whyNoPrograms()

describe.skipIf(why !== undefined)(
  `${BYTES / 2 ** 20} MiB each way${why ? ` (skipped: ${why})` : ''}`,
  () => {
    it.concurrent.each<Way>(['silent', 'addresses', 'stop-listener'])(
      'arrive whole although something goes for a while (%s)',
      async (way) => {
        const survival = await drill({ way, seconds: SECONDS, bytes: BYTES })
        expect(survival).toMatchObject({ bytes: [BYTES, BYTES], mismatchAt: [-1, -1], exitCodes: [0, 0] })
        expect(Math.max(...survival.firstByteMs)).toBeLessThan(MAX_FIRST_BYTE_MS)
      },
    )
  },
)

describe.skipIf(whyNot !== undefined)(
  `an ssh session and an rsync within forward${whyNot ? ` (skipped: ${whyNot})` : ''}`,
  () => {
    it('go on where they were although both links go for a while', async () => {
      const survival = await drillPrograms({ way: 'silent', seconds: SECONDS, bytes: BYTES })
      expect(survival).toMatchObject({ isEchoWhole: true, isCopyWhole: true, exitCodes: [0, 0] })
      expect(survival.echoedLines).toBeGreaterThan(SECONDS * 10)
      expect(Math.max(...survival.firstByteMs)).toBeLessThan(MAX_FIRST_BYTE_MS)
    })
  },
)
