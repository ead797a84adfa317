// SPDX-License-Identifier: Apache-2.0
/** What is done through the paths: each part has its own words, what it needs, and checks what it got. */
import { createHash, type Hash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DOWNLOAD_BYTES, IMAGES, seeded } from './content.js'
import { SITE } from './install.js'
import { startSshd } from './sshd.js'
import type { Stage } from './stage.js'

export interface Part {
  readonly title: string
  readonly prose: string
  readonly needs: readonly string[]
  /** @throws {Error} where something isn't as it must be */
  run(stage: Stage): Promise<void>
}

const PROXY = '--proxy socks5h://127.0.0.1:1080'
const PHOTOS = 30
const PHOTO_BYTES = 1_000_000

function insist(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Error(otherwise)
}

const sha256 = (): Hash => createHash('sha256')

export const CURL: Part = {
  title: 'curl',
  prose: `A web server listens on ${SITE}, an address that only the server reaches. Requests without a matching rule are refused.`,
  needs: ['curl'],
  async run(stage) {
    const found = await stage.run('client', `curl --silent --head ${PROXY} http://${SITE}/`)
    insist(/200 OK/.test(found.output[0] ?? ''), 'curl did not get the page')
    // 97: the proxy refused.
    const refused = await stage.run('client', `curl --silent --show-error ${PROXY} http://${SITE}:22/`, 97)
    stage.transcript.shell([
      { ...found, output: found.output.filter((line) => line !== '' && !line.startsWith('Date:')) },
      refused,
    ])
  },
}

export const DOWNLOAD: Part = {
  title: 'A download',
  prose: 'The data arrives unchanged.',
  needs: ['curl'],
  async run(stage) {
    const told = String.raw`%{size_download} bytes in %{time_total} s\n`
    const fetched = await stage.run(
      'client',
      `curl --silent ${PROXY} --output download.bin --write-out '${told}' http://${SITE}/download.bin`,
    )
    const sum = await stage.run('client', 'sha256sum download.bin')
    const expected = sha256().update(seeded(0, DOWNLOAD_BYTES)).digest('hex')
    insist(sum.output[0]?.startsWith(expected) === true, 'the download is not what was sent')
    stage.transcript.shell([fetched, sum])
  },
}

export const IPERF: Part = {
  title: 'iperf3',
  prose:
    'Each line shows the data of one second. All links together have 50 Mbit/s, and 30 or 40 while one is cut.',
  needs: ['iperf3'],
  async run(stage) {
    const server = stage.background('server', 'iperf3 --server --one-off --forceflush > iperf.log')
    await stage.run('server', 'until grep --quiet listening iperf.log; do sleep 0.1; done')
    const client = await stage.run(
      'client',
      'iperf3 --client 127.0.0.1 --port 5201 --reverse --time 15 --format m',
    )
    const rows = client.output.filter((line) => /bits\/sec/.test(line))
    const seconds = rows.filter((line) => !/(sender|receiver)$/.test(line.trim()))
    insist(seconds.length >= 14, `iperf3 told of ${seconds.length} seconds`)
    insist(!seconds.some((line) => / 0\.00 bits/.test(line)), 'nothing came for a second')
    stage.transcript.shell([server.said, { ...client, output: rows.map((row) => row.trim()) }])
  },
}

export const RSYNC: Part = {
  title: 'rsync over ssh',
  prose:
    'An sshd listens on port 2222 of the server, on loopback alone; `ssh_config` calls port 2022 of the client `far`.',
  needs: ['rsync', 'ssh', 'ssh-keygen', '/usr/sbin/sshd'],
  async run(stage) {
    makePhotos(stage)
    const sshd = await startSshd(stage)
    try {
      const copied = await stage.run(
        'client',
        "rsync --archive --stats --rsh='ssh -F ssh_config' photos far:$SERVER/",
      )
      const sum = '(cd photos && sha256sum *.jpg) | sha256sum'
      const here = await stage.run('client', sum)
      const there = await stage.run('server', sum)
      insist(here.output[0] === there.output[0], 'the copy differs')
      const stats = copied.output.filter((line) => /transferred:|Total file size/.test(line))
      stage.transcript.shell([{ ...copied, output: stats }, here, there])
    } finally {
      await sshd.stop()
    }
  },
}

function makePhotos(stage: Stage): void {
  const folder = join(stage.folder('client'), 'photos')
  mkdirSync(folder)
  for (let i = 1; i <= PHOTOS; i++) writeFileSync(join(folder, `${i}.jpg`), seeded(i, PHOTO_BYTES))
}

export const BROWSER: Part = {
  title: 'A browser',
  prose: `A page of ${IMAGES} images, each of 20 KB and over its own TCP connection.`,
  needs: ['chromium'],
  async run(stage) {
    const flags = '--headless --no-sandbox --disable-gpu --disable-background-networking'
    const seen = await stage.run(
      'client',
      `chromium ${flags} --user-data-dir=profile --proxy-server=socks5://127.0.0.1:1080 --dump-dom http://${SITE}/ 2> chromium.log | grep told\\"`,
    )
    insist(
      seen.output[0]?.includes(`${IMAGES} of ${IMAGES} images`) === true,
      `told: ${seen.output.join(' ')}`,
    )
    stage.transcript.shell([seen])
  },
}
