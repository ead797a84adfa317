// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cliFiles } from '../support/cli-docs.js'

const FILES = cliFiles()

it.each(Object.keys(FILES))('%s is what the parser makes (renew it with npm run docs:cli)', (file) => {
  expect(readFileSync(file, 'utf8')).toBe(FILES[file])
})

it('the package has the completions and the manual page', () => {
  const { files, man } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[]; man: string }
  expect(files).toEqual(expect.arrayContaining(['completions', 'man']))
  expect(man).toBe('./man/multipath.1')
})

function isThere(program: string, flag = '--version'): boolean {
  try {
    execFileSync(program, [flag], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** What bash proposes behind these words, the last of which is not finished. */
function proposed(...words: string[]): string[] {
  const script = `source completions/multipath.bash
COMP_WORDS=(multipath "$@"); COMP_CWORD=$#; _multipath; printf '%s\\n' "\${COMPREPLY[@]}"`
  const out = execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' })
  return out.split('\n').filter((line) => line !== '')
}

describe.skipIf(!isThere('bash'))('completion in bash', () => {
  it.each([
    [['sp'], ['speed']],
    [
      ['nc', '--keep'],
      ['--keep-open', '--keep-alive-ms'],
    ],
    [['forward', '--scheduler', 'red'], ['redundant']],
    [['speed', 'ser'], ['serve']],
    [['speed', 'serve', '--max-s'], ['--max-sessions']],
    [['serve', '--token-file', 'package.js'], ['package.json']],
    [['nc', '--port', ''], []],
  ])('of %j is %j', (words, expected) => {
    expect(proposed(...words).toSorted()).toEqual(expected.toSorted())
  })
})

describe('completions are scripts that the shell takes', () => {
  it.skipIf(!isThere('zsh'))('zsh', () => {
    execFileSync('zsh', ['-n', 'completions/_multipath'])
  })

  it.skipIf(!isThere('fish'))('fish', () => {
    execFileSync('fish', ['-n', 'completions/multipath.fish'])
  })
})

describe.skipIf(!isThere('groff'))('the manual page', () => {
  it('has nothing that groff warns of', () => {
    const warnings = execFileSync('sh', ['-c', 'groff -man -Tutf8 -Kutf8 -ww -z man/multipath.1 2>&1'], {
      encoding: 'utf8',
    })
    expect(warnings).toBe('')
  })
})
