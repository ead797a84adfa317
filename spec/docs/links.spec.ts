// SPDX-License-Identifier: Apache-2.0
/** Links between the documents. `npm run docs:site` checks those in docstrings. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const PAGES = [
  ...['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'bench/README.md', 'interop/README.md'],
  ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
]

/** Without what stands in code, where brackets are no links. */
function proseOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8')
    .replaceAll(/```[\s\S]*?```/g, '')
    .replaceAll(/`[^`\n]*`/g, (code) => 'x'.repeat(code.length))
}

/** As GitHub makes anchors of headings. */
function anchorsOf(page: string): Set<string> {
  const text = readFileSync(join(ROOT, page), 'utf8').replaceAll(/```[\s\S]*?```/g, '')
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!)
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

function deadLinks(page: string): string[] {
  const links = [...proseOf(page).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, link]) => link!)
  return links.filter((link) => {
    const [path, anchor] = link.split('#')
    const target = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path!))
    if (!existsSync(join(ROOT, target))) return true
    return anchor !== undefined && !anchorsOf(target).has(anchor)
  })
}

describe('the documents', () => {
  it.each(PAGES)('have no dead link in %s', (page) => {
    expect(deadLinks(page)).toEqual([])
  })

  it('are all linked from README', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
    const missing = PAGES.filter((page) => page.startsWith('docs/') && !readme.includes(`/${page}`))
    expect(missing).toEqual([])
  })
})
