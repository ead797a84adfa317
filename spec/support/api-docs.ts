// SPDX-License-Identifier: Apache-2.0
/** Writes the public surface to api/. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { API_FOLDER, apiReports } from './api-report.js'

rmSync(API_FOLDER, { recursive: true, force: true })
mkdirSync(API_FOLDER)
for (const [name, text] of apiReports()) writeFileSync(join(API_FOLDER, name), text)
