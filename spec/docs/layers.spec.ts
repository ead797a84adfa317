// SPDX-License-Identifier: Apache-2.0
/** The table of layers in CONTRIBUTING.md is that of the linter. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

interface Layer {
  readonly folder?: string
  readonly file?: string
  readonly files?: readonly string[]
  readonly may: readonly string[]
  readonly types?: readonly string[]
  readonly packages?: readonly string[]
}

const CONFIG = join(import.meta.dirname, '../../eslint.config.js')
const { BASE, LAYERS } = (await import(CONFIG)) as {
  readonly BASE: readonly string[]
  readonly LAYERS: readonly Layer[]
}

/** All of the base stands as one word. */
function listed(names: readonly string[]): string {
  const isBased = BASE.every((name) => names.includes(name))
  const others = names.filter((name) => !isBased || !BASE.includes(name)).map((name) => `\`${name}\``)
  return [...(isBased ? ['base'] : []), ...others].join(', ')
}

function row({ folder = '', file = '', files, may, types = [], packages = [] }: Layer): string {
  const layer = listed(files ?? [folder + file])
  return `| ${layer} | ${listed(may)} | ${listed(types)} | ${listed(packages)} |`
}

it('is the table in CONTRIBUTING.md', () => {
  const text = readFileSync('CONTRIBUTING.md', 'utf8')
  const head = '| layer | imports | types | packages |\n| --- | --- | --- | --- |\n'
  const table = text.slice(text.indexOf(head) + head.length).split('\n\n')[0]!
  expect(table.split('\n')).toEqual(LAYERS.map(row))
  expect(text).toContain(`base is ${listed(BASE.map((name) => `${name}.ts`))}`)
})
