// SPDX-License-Identifier: Apache-2.0
/** The page of `--web` in a real browser, with the processes that it shows. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { PathRelay } from '../../../interop/support/path-relay.js'
import { schedulers } from '../../../lib/index.js'
import type { PageOptions } from '../../support/chromium.js'
import { Chromium, WITHOUT_CHROMIUM } from '../../support/chromium.js'
import type { CliProcess } from '../../support/cli-process.js'
import { at, command, dial, serve, target } from '../../support/streams.js'

vi.setConfig({ testTimeout: 120_000 })

const FOLDER = mkdtempSync(join(tmpdir(), 'multipath-web-'))
const env = { MULTIPATH_TOKEN: 'a token that only specs know', XDG_RUNTIME_DIR: FOLDER }
afterAll(() => {
  rmSync(FOLDER, { recursive: true })
})

const ROW = (label: string): string =>
  `[...document.querySelectorAll('.paths tbody tr')].find((row) => row.dataset.key === '${label}')`

interface Shown {
  readonly here: CliProcess
  readonly page: Chromium
  readonly url: string
  readonly lte: PathRelay
  /** Of the tunnel; both ends send all the time. */
  readonly busy: Socket
}

/** forward with two paths and traffic in both directions, and its page in a browser. */
async function shown(options?: PageOptions): Promise<Shown> {
  const chatty = await target((socket) => {
    const timer = setInterval(() => socket.write(Buffer.alloc(2000)), 10)
    socket.resume().once('close', () => clearInterval(timer))
  })
  const there = await serve(['--allow', at(chatty)], { env })
  const relays = [await PathRelay.open(there.port), await PathRelay.open(there.port)]
  for (const relay of relays) onTestFinished(() => relay[Symbol.asyncDispose]())
  const [wifi, lte] = relays as [PathRelay, PathRelay]
  const to = ['--to', `${at(wifi.port)},label=wifi`, '--to', `${at(lte.port)},label=lte`]
  const args = ['forward', ...to, '--scheduler', 'round-robin', '--local', `0=${at(chatty)}`, '--web', '0']
  const here = command(args, { env })
  const [, url] = await here.line(/page on (\S+)/)
  await here.line(/2 of 2 paths up/)
  const [, local] = await here.line(/listening on \S+:(\d+) for/)
  const busy = await dial(Number(local))
  const timer = setInterval(() => busy.write(Buffer.alloc(2000)), 10)
  busy.resume().once('close', () => clearInterval(timer))
  await once(busy, 'data')
  const page = await Chromium.open(options)
  onTestFinished(() => page[Symbol.asyncDispose]())
  await page.goto(url!)
  await page.until(`${ROW('lte')}?.dataset.look === 'up' && ${ROW('wifi')}.dataset.look === 'up'`)
  return { here, page, url: url!, lte, busy }
}

describe.skipIf(WITHOUT_CHROMIUM !== '')(`the page in a browser${WITHOUT_CHROMIUM}`, () => {
  it.each(['freeze', 'cut'] as const)('shows a link in red within one second of its %s', async (kind) => {
    const { page, lte } = await shown()
    if (kind === 'freeze') lte.freeze()
    else {
      lte.refuse(true)
      lte.reset()
    }
    expect(await page.until(`${ROW('lte')}.dataset.look === 'down'`)).toBeLessThan(1000)
    const [color, red] = await page.evaluate<string[]>(
      `[getComputedStyle(${ROW('lte')}.querySelector('.state span')).color, getComputedStyle(document.querySelector('.down')).color]`,
    )
    expect(color).toBe(red)
    lte.refuse(false)
    lte.thaw()
    await page.until(`${ROW('lte')}.dataset.look === 'up'`)
    expect(page.errors).toEqual([])
  })

  it('pauses and resumes a path, changes its tier and the scheduler, and adds a path', async () => {
    const { here, page, url } = await shown()
    await page.evaluate(`${ROW('lte')}.querySelector('button').id = 'pause-lte'`)
    await page.click('#pause-lte')
    await here.line(/lte .*paused/)
    await page.until(`${ROW('lte')}.dataset.look === 'paused' && ${ROW('lte')}.innerText.includes('Resume')`)
    await page.click('#pause-lte')
    await here.line(/lte .*resumed/)
    const choose = (selector: string, value: string): Promise<unknown> =>
      page.evaluate(
        `((select) => { select.value = '${value}'; select.dispatchEvent(new Event('change')) })(${selector})`,
      )
    await choose(`${ROW('lte')}.querySelector('select')`, 'backup')
    await page.until(`document.querySelector('#note').textContent === 'lte: backup'`)
    await choose(`document.querySelector('#scheduler')`, 'redundant')
    await page.until(`document.querySelector('#note').textContent === 'scheduler redundant'`)
    await page.evaluate(`document.querySelector('#path').value = '127.0.0.1:1,label=wwan'`)
    await page.click('#add button')
    await page.until(`${ROW('wwan')}?.dataset.look === 'down'`)
    const { out } = await command(['status', '-t', String(here.pid), '--json'], { env }).exited
    expect(JSON.parse(out.toString())).toMatchObject({
      sessions: [
        { scheduler: 'redundant', paths: [{}, { label: 'lte', tier: 'backup' }, { label: 'wwan' }] },
      ],
    })
    // The token has left the address, and a reload keeps it.
    expect(await page.evaluate('location.href')).toBe(url.split('#')[0])
    await page.evaluate('location.reload()')
    await page.until(`${ROW('wwan')}?.dataset.look === 'down'`)
    expect(page.errors).toEqual([])
  })

  it('draws the charts, the timeline and the streams, and tells when the command has gone', async () => {
    const { here, page } = await shown({ isDark: true })
    expect(await page.evaluate(`getComputedStyle(document.body).backgroundColor`)).toBe('rgb(15, 18, 22)')
    await page.until(`document.querySelectorAll('.charts canvas').length === 4`)
    const painted = `[...document.querySelectorAll('.charts canvas')].map((canvas) =>
      canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0))`
    await page.until(`(${painted}).every(Boolean)`)
    await page.until(`document.querySelectorAll('#streams tr').length === 1`)
    expect(
      await page.evaluate(`[...document.querySelector('#scheduler').options].map(({ value }) => value)`),
    ).toEqual(Object.keys(schedulers))
    here.kill('SIGKILL')
    await page.until(`document.querySelector('#link').className === 'badge down'`)
  })

  it('fits on a phone', async () => {
    const { page } = await shown({ width: 360, height: 740 })
    const [wide, seen] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    )
    expect(wide).toBe(seen)
    const small = await page.evaluate<number>(
      `[...document.querySelectorAll('.paths button')].filter((one) => one.getBoundingClientRect().height < 40).length`,
    )
    expect(small).toBe(0)
  })

  it('asks for the token where it has none, and takes that of a file', async () => {
    const file = join(FOLDER, 'page-token')
    writeFileSync(file, 'a-token-in-a-file\n', { mode: 0o600 })
    const there = command(
      ['serve', '--listen', at(0), '--allow', 'a:1', '--web', '0', '--web-token-file', file],
      { env },
    )
    const [line, url] = await there.line(/page on (http:\S+), with the token in \S+$/)
    expect(line).not.toContain('a-token-in-a-file')
    const page = await Chromium.open()
    onTestFinished(() => page[Symbol.asyncDispose]())
    await page.goto(url!)
    await page.until(
      `document.querySelector('#login')?.hidden === false && document.querySelector('#main').hidden`,
    )
    for (const [token, end] of [
      ['wrong', `document.querySelector('#note').textContent === 'the token is wrong'`],
      ['a-token-in-a-file', `document.querySelector('#main').hidden === false`],
    ] as const) {
      await page.evaluate(`document.querySelector('#token').value = '${token}'`)
      await page.click('#login button')
      await page.until(end)
    }
  })

  it('keeps 24 hours of history, and its memory does not grow over the next ones', async () => {
    const { page, busy } = await shown()
    // Hours pass in the model while the real time stands still.
    const pass = (from: number, to: number): Promise<unknown> =>
      page.evaluate(`(async () => {
        const { model } = await import('/page.js')
        const { Model } = await import('/model.js')
        const past = (globalThis.past ??= new Model())
        const status = structuredClone(model.status)
        for (let time = ${from}; time < ${to}; time += 0.25) {
          for (const path of status.sessions[0].paths) {
            path.sentBytes += 1000
            path.rttMs = 10 + (time % 60)
            path.state = time % 20 < 10 ? 'up' : 'down'
          }
          past.take(status, time)
        }
      })()`)
    busy.destroy()
    const HOUR_S = 3600
    await pass(0, 25 * HOUR_S)
    const [before, size] = [await page.heapBytes(), await page.evaluate<number>('past.history.size')]
    await pass(25 * HOUR_S, 49 * HOUR_S)
    expect(await page.evaluate('past.history.size')).toBeLessThanOrEqual(size * 1.01)
    expect((await page.heapBytes()) - before).toBeLessThan(1_000_000)
    expect(before).toBeLessThan(20_000_000)
    expect(
      await page.evaluate(`Math.max(...[...past.tracks.values()].map(({ turns }) => turns.length))`),
    ).toBe(1000)
  })
})

it('--web-token-file needs --web, and a token that fits into a header', async () => {
  const file = join(FOLDER, 'odd-token')
  writeFileSync(file, 'a token with spaces in it', { mode: 0o600 })
  const start = ['serve', '--listen', at(0), '--allow', 'a:1', '--web-token-file', file]
  for (const [more, why] of [
    [[], /--web-token-file needs --web/],
    [['--web', '0'], /the token of --web-token-file must consist of/],
  ] as const) {
    const { code, lines } = await command([...start, ...more], { env }).exited
    expect([code, lines.at(-1)]).toEqual([2, expect.stringMatching(why)])
  }
})
