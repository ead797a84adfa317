// SPDX-License-Identifier: Apache-2.0
/** English of the documents: sentences that can be read in one breath, and none of the phrases that slow a reader down. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const PAGES = [
  ...['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
]
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

/** A paragraph, a cell of a table, an element of a list and what stands between colons count on their own. */
function sentencesOf(page: string): string[] {
  const blocks = proseOf(page).split(/\n\s*\n|\n(?=\s*(?:[-*>#|]|\d\.) ?)|\|/)
  return blocks.flatMap((block) => block.replaceAll('\n', ' ').split(/(?<=[.!?:;])\s+/))
}

describe('the prose of the documents', () => {
  it.each(PAGES)('has none of the phrases to avoid in %s', (page) => {
    expect(proseOf(page).match(PHRASES) ?? []).toEqual([])
  })

  it.each(PAGES)('has no sentence of more than 30 words in %s', (page) => {
    const words = (sentence: string): number => sentence.split(/\s+/).filter((word) => /\w/.test(word)).length
    expect(sentencesOf(page).filter((sentence) => words(sentence) > MOST_WORDS)).toEqual([])
  })
})
