// SPDX-License-Identifier: Apache-2.0
/** Files of recordings in the words of links: those that are made here, and those of others. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { BUILD } from '../shared/places.js'
import { INVENTED, type Recording, RECORDINGS } from './recordings.js'
import type { Scenario } from './scenario.js'

const FOLDER = `${BUILD}recorded/`
/** The word of a link that plays a recording both ways. */
const WORD = /(?<=^|,)recorded=([^,]+)/

const made = new Set<string>()

/** Whether it has links that could play real recordings as well. */
export const isRecorded = ({ links }: Scenario): boolean =>
  INVENTED.some(({ name }) => links.some((link) => link.includes(`recorded=${name}`)))

/** The link with the file of its recording in place of its name, once there is such a file. */
export function withFile(link: string): string {
  return link.replace(WORD, (word, name: string) => {
    const recording = RECORDINGS.find((one) => one.name === name)
    return recording ? `recorded=${write(recording)}` : word
  })
}

function write(recording: Recording): string {
  const file = `${FOLDER}${recording.name}`
  if (!made.has(file)) {
    mkdirSync(FOLDER, { recursive: true })
    writeFileSync(file, `${recording.times().join('\n')}\n`)
    made.add(file)
  }
  return file
}

/**
 * The scenario over other recordings, each link with the next of them, in turn.
 * @param files - each a path, and `@SECONDS` where it is to begin later. A path that ends in .down has its way back in the file that ends in
 *   .up, where that exists; otherwise a file is played both ways
 */
export function playing(scenario: Scenario, files: readonly string[]): Scenario {
  if (!isRecorded(scenario)) return scenario
  const links = scenario.links.map((link, i) => link.replace(WORD, () => wordsOf(files[i % files.length]!)))
  return { ...scenario, id: `${scenario.id} ${files.join('+')}`, links }
}

function wordsOf(file: string): string {
  const [, path = file, seconds] = /^(.+)@([\d.]+)$/.exec(file) ?? []
  if (/[\s,]/.test(resolve(path)))
    throw new Error(`a recording's path must be without spaces: ${resolve(path)}`)
  if (!existsSync(path)) throw new Error(`there is no recording ${path}`)
  const offset = seconds === undefined ? '' : `,offset=${seconds}`
  const back = path.replace(/\.down$/, '.up')
  if (back === path || !existsSync(back)) return `recorded=${resolve(path)}${offset}`
  // The data of the benches goes from client to server, which is up.
  return `up:recorded=${resolve(path)},down:recorded=${resolve(back)}${offset}`
}
