// SPDX-License-Identifier: Apache-2.0
/** What the page on integrations has for Node alone; interop/clients.spec.ts runs the rest of it with the real clients. */
import { spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { freePorts } from '../support/free-ports.js'
import { PageExamples } from '../support/page-examples.js'

const examples = new PageExamples('integrations')

it('has an agent that is asked again until the server of the page is there', async () => {
  const [first, second] = await freePorts(2)
  const places = { 7000: first!, 7001: second! }
  const cwd = await examples.write('server', places)
  const getting = examples.run('retry', places)
  // It is refused at least once.
  await delay(500)
  const server = spawn(process.execPath, ['main.mjs'], { cwd, stdio: 'inherit' })
  try {
    expect(await getting).toMatch(/^(again after ECONNREFUSED\n)+hello\n$/)
  } finally {
    server.kill()
  }
})
