// SPDX-License-Identifier: Apache-2.0
/** Where the benches keep what they build and what they find out. */
import { fileURLToPath } from 'node:url'

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))
export const BENCH: string = `${ROOT}bench/`
/** Ignored by git: built programs and interrupted runs. */
export const BUILD: string = `${ROOT}build/bench/`
export const RESULTS: string = `${BENCH}results/`
/** What README and docs/ show. */
export const PICTURES: string = `${ROOT}docs/pictures/`
