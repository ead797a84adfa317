// SPDX-License-Identifier: Apache-2.0
/** `npm run bench:charts`: writes the report and the charts again from the figures of results/links.json. */
import { writeFileSync } from 'node:fs'
import { drawn, savedResults } from './results.js'

const saved = savedResults()
if (saved === undefined) throw new Error('results/links.json is missing: npm run bench:links writes it')
for (const [file, text] of drawn(saved)) writeFileSync(file, text)
