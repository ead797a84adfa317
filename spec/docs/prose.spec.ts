// SPDX-License-Identifier: Apache-2.0
/**
 * English of the documents, of the docstrings that ship and of messages: sentences that can be read in one breath, and none
 * of the phrases that slow a reader down. docs/cli.md has the texts of `--help`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PAGES } from '../support/blocks.js'

const ROOT = join(import.meta.dirname, '../..')
const MOST_WORDS = 30
const PHRASES = new RegExp(
  [
    ...[
      'that is none',
      'that are none',
      'so many',
      'so long',
      'nobody',
      'somebody',
      'leads? to',
      'mend(?:s|ed)?',
    ],
    ...[
      'of no use',
      'for ever',
      'hence',
      'in one go',
      'in good order',
      'which else',
      'as it were',
      'at the least',
    ],
  ]
    .map((phrase) => `\\b${phrase}\\b`)
    .join('|'),
  'gi',
)
/** Names, which are no words: the user of that name. */
const NAMES = ['appear as nobody']

/** Prose alone: code counts as one word. */
function proseOf(page: string): string {
  const text = readFileSync(join(ROOT, page), 'utf8')
    .replaceAll(/```[\s\S]*?```/g, '')
    .replaceAll(/`[^`\n]*`/g, 'CODE')
    .replaceAll(/\]\([^)]*\)/g, ']')
  return NAMES.reduce((prose, name) => prose.replaceAll(name, ''), text)
}

/** A paragraph, a cell of a table, an element of a list, a tag of a docstring and what stands between colons count on their own. */
function sentencesIn(prose: string): string[] {
  const blocks = prose.split(/\n\s*\n|\n(?=\s*(?:[-*>#|@]|\d\.) ?)|\|/)
  return blocks.flatMap((block) => block.replaceAll('\n', ' ').split(/(?<=[.!?:;])\s+/))
}

const isLong = (sentence: string): boolean =>
  sentence.split(/\s+/).filter((word) => /\w/.test(word)).length > MOST_WORDS

function filesIn(folder: string, end: string): string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  return names.filter((name) => name.endsWith(end)).map((name) => `${folder}/${name}`)
}

/** Docstrings as editors show them, by file. */
function docstrings(): [string, string][] {
  return filesIn('dist', '.d.ts').flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(/\/\*\*([^]*?)\*\//g)].map(
      ([, text]): [string, string] => [
        file,
        text!
          .replaceAll(/^\s*\* ?/gm, '')
          .replaceAll(/`[^`]*`/g, 'CODE')
          .replaceAll(/\{@link ([^}]*)\}/g, '$1'),
      ],
    ),
  )
}

/** Texts of several words in the code: messages, and what `--help` prints. */
function messages(): [string, string][] {
  return filesIn('lib', '.ts').flatMap((file) => {
    const code = readFileSync(join(ROOT, file), 'utf8').replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/ .*$/gm, '')
    const texts = code.matchAll(/(['"`])((?:\\.|(?!\1)[^\\\n])*)\1/g)
    return [...texts].flatMap(([, , text]): [string, string][] =>
      /\w \w+ \w/.test(text!) ? [[file, text!]] : [],
    )
  })
}

describe('the prose of the documents', () => {
  it.each(PAGES)('has none of the phrases to avoid in %s', (page) => {
    expect(proseOf(page).match(PHRASES) ?? []).toEqual([])
  })

  it.each(PAGES)('has no sentence of more than 30 words in %s', (page) => {
    expect(sentencesIn(proseOf(page)).filter(isLong)).toEqual([])
  })
})

describe('the prose of the code', () => {
  it('has none of the phrases to avoid, and no long sentence, in a docstring', () => {
    const all = docstrings()
    expect(all.length).toBeGreaterThan(500)
    expect(all.filter(([, text]) => text.match(PHRASES) !== null || sentencesIn(text).some(isLong))).toEqual(
      [],
    )
  })

  it('has none of the phrases to avoid in a message', () => {
    const all = messages()
    expect(all.length).toBeGreaterThan(300)
    expect(all.filter(([, text]) => text.match(PHRASES) !== null)).toEqual([])
  })
})
