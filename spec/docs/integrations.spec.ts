// SPDX-License-Identifier: Apache-2.0
/** What the page on integrations has for Node alone; interop/clients.spec.ts runs the rest of it with the real clients. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { freePorts } from '../support/free-ports.js'
import { PageExamples } from '../support/page-examples.js'

const examples = new PageExamples('integrations')

it('has an agent that is asked again until the server of the page is there', async () => {
  const [port, other] = await freePorts(2)
  const places = { 7000: port!, 7001: other! }
  const asking = start(await examples.write('retry', places))
  const [first] = (await once(asking.stdout!, 'data')) as [Buffer]
  const server = start(await examples.write('server', places))
  try {
    expect(first.toString() + (await text(asking.stdout!))).toMatch(/^(again after ECONNREFUSED\n)+hello\n$/)
  } finally {
    server.kill()
    asking.kill()
  }
})

function start(cwd: string): ChildProcess {
  return spawn(process.execPath, ['main.mjs'], { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
}
