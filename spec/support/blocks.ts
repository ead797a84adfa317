// SPDX-License-Identifier: Apache-2.0
/** The fenced blocks of the documents. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** Every document, from the root of the checkout. */
export const PAGES: readonly string[] = [
  ...['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
]

export interface Block {
  readonly page: string
  /** Of the fence, from 1. */
  readonly line: number
  /** `sh`, `js`, …; empty where the fence names none. */
  readonly language: string
  /** What the fence says behind the language, such as `example=nc`. */
  readonly tags: Readonly<Record<string, string>>
  readonly code: string
}

export function blocksOf(page: string): Block[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
  return [...text.matchAll(/^```(\w*)(.*)\n([\s\S]*?)^```$/gm)].map(
    ({ 1: language, 2: rest, 3: code, index }) => ({
      page,
      line: text.slice(0, index).split('\n').length,
      language: language!,
      tags: Object.fromEntries(
        rest!
          .trim()
          .split(' ')
          .filter((tag) => tag !== '')
          .map((tag) => tag.split('=') as [string, string]),
      ),
      code: code!,
    }),
  )
}
