// SPDX-License-Identifier: Apache-2.0
/** The built package in other runtimes: see interop/runtimes/. Those that `npm run runtimes` has not got are skipped. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { CERTIFICATE, FINGERPRINT } from '../spec/support/certificate.js'
import type { Runtime } from './runtimes/runtimes.js'
import { binaryOf, RUNTIMES } from './runtimes/runtimes.js'

const SMOKE = fileURLToPath(new URL('runtimes/smoke.mjs', import.meta.url))
const HERE: Runtime = { name: `Node ${process.versions.node}`, args: [], package: undefined, file: '' }

describe.each([HERE, ...RUNTIMES])('$name', (runtime) => {
  const binary = runtime === HERE ? process.execPath : binaryOf(runtime)

  it.skipIf(binary === undefined)(
    'dials, listens, carries on when a path is cut, and runs the command',
    async () => {
      const env = { ...process.env, SMOKE_TLS: JSON.stringify({ ...CERTIFICATE, fingerprint: FINGERPRINT }) }
      const { stdout } = await promisify(execFile)(binary!, [...runtime.args, SMOKE], { env }).catch(
        (error: unknown) => error as { stdout: string },
      )
      const lines = stdout.split('\n').filter((line) => line !== '')
      expect(lines.filter((line) => !line.startsWith('ok '))).toEqual([])
      expect(lines).toHaveLength(8)
    },
  )
})
