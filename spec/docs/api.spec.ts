// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { API_FOLDER, apiReports } from '../support/api-report.js'

describe('the report of the public surface', () => {
  const reports = apiReports()

  it('has a file for each entry', () => {
    expect(readdirSync(API_FOLDER).sort()).toEqual([...reports.keys()].sort())
  })

  it.each([...reports])('is what was built: %s (npm run docs:api)', (name, text) => {
    expect(readFileSync(join(API_FOLDER, name), 'utf8')).toBe(text)
  })

  it('has no member that is ours: nothing protected, private, or of the insides of a stream', () => {
    for (const text of reports.values())
      expect(text.match(/\b(protected|private)\b|@internal|^ +_\w+\(/gm)).toBeNull()
  })

  it('names what a declaration refers to, by whatever way it is imported', () => {
    const report = reports.get('mux.md')!
    expect(report).toContain('- `Clock` of `multipath-net`')
    expect(report).toContain('export declare abstract class SocketSurface')
  })
})
