// SPDX-License-Identifier: Apache-2.0
import { ESLint } from 'eslint'
import tseslint from 'typescript-eslint'

/** ESLint with the rules of the project. */
export const typed: ESLint = new ESLint()

/**
 * The same without the rules that need types: the files it is asked about need not exist, and a file that is nowhere
 * has no types.
 */
export const untyped: ESLint = new ESLint({ overrideConfig: [tseslint.configs.disableTypeChecked] })

/** The rule against circles of imports alone. */
export const circles: ESLint = new ESLint({
  overrideConfig: [tseslint.configs.disableTypeChecked],
  ruleFilter: ({ ruleId }) => ruleId === 'local/import-circle',
})

/** First line of every source. */
export const LICENCE = '// SPDX-License-Identifier: Apache-2.0'

/** Ids of the rules that report `code`, below the licence, as if it stood at `path`, each once. */
export async function reports(path: string, code: string, eslint: ESLint = untyped): Promise<string[]> {
  const [result] = await eslint.lintText(`${LICENCE}\n${code}\n`, { filePath: path })
  const messages = result?.messages ?? []
  for (const { fatal, message } of messages) if (fatal) throw new Error(`${path}: ${message}`)
  return [...new Set(messages.map(({ ruleId }) => ruleId ?? 'none'))]
}
