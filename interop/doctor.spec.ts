// SPDX-License-Identifier: Apache-2.0
/** `multipath doctor`, the built one, looks at a Go listener; and at two uplinks in network namespaces. */
import { describe, expect, it } from 'vitest'
import type { Diagnosis } from '../lib/cli/doctor/diagnosis.js'
import { CliProcess, nc } from '../spec/support/cli-process.js'
import { whyNoNamespaces } from './support/namespaces.js'
import { TwoUplinks } from './support/two-uplinks.js'
import { describeWithGo } from './support/with-go.js'

const LIGHT = ['-s', '1', '--max-mib', '4']

describeWithGo('multipath doctor', (go) => {
  it.each(['discard', 'echo'])('measures paths to a Go listener that serves as %s', async (serve) => {
    const { addrs } = await go().listen(2, serve)
    await using looks = new CliProcess(['doctor', '--json', ...LIGHT, ...addrs])
    const { code, out } = await looks.exited
    const diagnosis = JSON.parse(out.toString()) as Diagnosis
    expect(code).toBe(0)
    expect(diagnosis).toMatchObject({ isFine: true, peer: 'Go' })
    for (const path of diagnosis.paths) {
      expect(path.idleRttMs).toBeGreaterThan(0)
      expect((path.bothWays ?? path.oneWay)?.upBytesPerSecond).toBeGreaterThan(0)
    }
    const { bothWays, oneWay } = diagnosis.together!
    expect((bothWays ?? oneWay).upBytesPerSecond).toBeGreaterThan(0)
  })
})

/** The verdict of doctor about the server behind both uplinks, block by block. */
async function examined(uplinks: TwoUplinks): Promise<{ code: number | null; blocks: string[] }> {
  await using listens = nc(['-l', '-b', '-a'], { within: uplinks.within('server') })
  const args = ['doctor', ...LIGHT, `10.81.9.1:${await listens.port()}`]
  await using looks = new CliProcess(args, { within: uplinks.within('client') })
  const { code, out } = await looks.exited
  return { code, blocks: out.toString().split('\n\n') }
}

const why = whyNoNamespaces()

describe.skipIf(why !== undefined)(
  `multipath doctor with two uplinks${why ? ` (skipped: ${why})` : ''}`,
  () => {
    it('names the source that leaves by the wrong one, and prints the lines that fix it', async () => {
      using uplinks = new TwoUplinks()
      const { code, blocks } = await examined(uplinks)
      expect(code).toBe(4)
      const [first, second, all] = blocks
      expect(first).toMatch(/route {6}leaves by c1 via 10\.81\.1\.2 from 10\.81\.1\.1, an address of c1\n/)
      expect(first).toMatch(/verdict {4}OK$/)
      expect(second).toMatch(
        /WRONG: wrong source route: 10\.81\.2\.1 is an address of c2, .* leave by c1 via 10/,
      )
      expect(second).toMatch(/handshake {2}done/)
      expect(all).toMatch(/WRONG: 1 of 2 paths are fine/)

      const lines = second!.split('\n').filter((line) => /^ +ip /.test(line))
      expect(lines).toHaveLength(2)
      uplinks.run(lines.join('\n'))
      const mended = await examined(uplinks)
      expect(mended.blocks[1]).toMatch(/leaves by c2 via 10\.81\.2\.2 from 10\.81\.2\.1, an address of c2\n/)
      expect(mended.blocks[2]).toMatch(/verdict {4}OK: 2 of 2 paths are fine/)
      expect(mended.code).toBe(0)
    })

    it('names the rp_filter that drops the answers, which fixing the route cures, too', async () => {
      using uplinks = new TwoUplinks()
      uplinks.run('echo 1 > /proc/sys/net/ipv4/conf/c2/rp_filter')
      const { code, blocks } = await examined(uplinks)
      expect(code).toBe(4)
      expect(blocks[1]).toMatch(/handshake {2}failed/)
      expect(blocks[1]).toMatch(/rp_filter is strict on c2: answers to 10\.81\.2\.1 .* are dropped/)
      uplinks.run(blocks[1]!.match(/^ +ip .*$/gm)!.join('\n'))
      expect(await examined(uplinks)).toMatchObject({ code: 0 })
    })
  },
)
