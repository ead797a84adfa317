// SPDX-License-Identifier: Apache-2.0
/**
 * Lint rules of the project. CONTRIBUTING.md draws the layers; LAYERS below enforces them, and
 * spec/lint/ shows that each rule reports what it forbids.
 */
import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import js from '@eslint/js'
import { builtinRules } from 'eslint/use-at-your-own-risk'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

export const BASE = ['errors', 'options', 'clock', 'debug', 'ignore', 'token-bucket']
const FOUNDATION = [...BASE, 'wire/', 'core/', 'stream/', 'conn/']
const CLI = [
  ...['index', 'mux/index', 'metrics/metric', 'closest', 'ignore', 'token-bucket', 'listen/by-address'],
  ...['listen/source-network', 'transport/ipv6'],
]
const DIAL = [...FOUNDATION, 'transport/transport', 'transport/path-source']

/**
 * Who may import whom, by name. A name that ends in `/` is a folder of lib/, another one a file of lib/ without
 * its extension. A folder may always import its own files; `file` singles one of them out. `types` may be imported
 * with `import type` alone; `packages` are npm packages, or `node:` for Node's own modules.
 *
 * wire and core do no input or output and never see a clock, hence no `node:` and only the types of clock.
 */
export const LAYERS = [
  {
    files: ['errors', 'clock', 'options', 'closest', 'ignore', 'token-bucket'],
    may: ['errors', 'options', 'closest'],
    types: ['clock'],
  },
  { files: ['debug'], may: ['errors', 'options'], types: ['clock'], packages: ['node:'] },
  { folder: 'wire/', may: ['errors', 'options'], types: ['clock'] },
  { folder: 'core/', may: ['errors', 'options', 'wire/'], types: ['clock'] },
  { folder: 'core/congestion/', may: [], types: ['clock'] },
  { folder: 'stream/', may: BASE, packages: ['node:', 'eventemitter3'] },
  { folder: 'messages/', may: [...BASE, 'stream/', 'wire/varint', 'wire/byte-queue'], packages: ['node:'] },
  {
    folder: 'conn/',
    may: [...BASE, 'wire/', 'core/', 'stream/', 'messages/'],
    packages: ['node:'],
  },
  {
    folder: 'transport/',
    may: [...BASE, 'stream/turn'],
    types: ['core/tracker', 'core/path'],
    packages: ['node:'],
  },
  { folder: 'paths/', may: [...BASE, 'transport/'], packages: ['node:'] },
  {
    folder: 'mux/',
    may: [...BASE, 'wire/varint', 'wire/byte-queue', 'stream/', 'messages/'],
    packages: ['node:'],
  },
  { folder: 'dial/', may: DIAL, packages: ['node:'] },
  { folder: 'dial/', file: 'redial', may: DIAL, packages: ['node:', 'p-retry'] },
  {
    folder: 'listen/',
    may: [...FOUNDATION, 'transport/transport', 'transport/ipv6'],
    packages: ['node:'],
  },
  {
    files: ['net', 'diagnostics', 'index'],
    may: [...DIAL, 'net', 'diagnostics', 'messages/', 'transport/', 'mux/', 'paths/', 'dial/', 'listen/'],
    packages: ['node:'],
  },
  {
    folder: 'testing/',
    may: [...BASE, 'index', 'wire/', 'core/', 'conn/', 'transport/'],
    packages: ['node:'],
  },
  { folder: 'http/', may: ['errors', 'net'], packages: ['node:'] },
  { folder: 'metrics/', may: ['conn/', 'dial/', 'listen/'], packages: [] },
  { folder: 'cli/', may: CLI, packages: ['node:', 'commander'] },
  { folder: 'cli/', file: 'up/read-config', may: CLI, packages: ['node:', 'commander', 'yaml'] },
]

/** A path that goes down and up again could name a foreign layer without looking like it. */
const CROOKED = String.raw`^\./\.|/\./|[^./]/\.\.(/|$)|//`

const escaped = (text) => text.replaceAll('.', String.raw`\.`)
const target = (name) => (name.endsWith('/') ? escaped(name) : `${escaped(name)}\\.js$`)
const anyOf = (regexes) => (regexes.length === 0 ? '(?!)' : `(?:${regexes.join('|')})`)

/** How many folders below lib/ its own files are. */
const depthOf = (folder = '') => folder.split('/').length - 1

/** Import rules of one layer for its files `depth` folders below lib/. */
function importRules({ folder, may, types = [], packages = [] }, depth) {
  const up = (levels) => (levels === 0 ? String.raw`\./` : String.raw`(?:\.\./){${levels}}`)
  const own = folder === undefined ? [] : [String.raw`\./`]
  for (let levels = 1; levels <= depth - depthOf(folder); levels++) own.push(`${up(levels)}(?!\\.\\.)`)
  const targets = (names) => names.map((name) => up(depth) + target(name))
  const packed = packages.map((name) => (name.endsWith(':') ? escaped(name) : `${escaped(name)}$`))
  const typed = targets(types)
  const values = [...own, ...targets(may), ...packed]
  const layer = folder ?? 'this file of lib/'
  return {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(?!${anyOf([...values, ...typed])})`,
            message: `Layers: ${layer} must not know that module. See LAYERS in eslint.config.js.`,
          },
          {
            regex: `^${anyOf(typed)}`,
            allowTypeImports: true,
            message: `Layers: ${layer} may import only types from there.`,
          },
          { regex: CROOKED, message: 'Write the shortest relative path.' },
        ],
      },
    ],
  }
}

const BANNED_SYNTAX = [
  {
    selector: 'ImportExpression',
    message: 'Import statically: the layers are checked on static imports.',
  },
  {
    selector: ':matches(PropertyDefinition, MethodDefinition)[accessibility="private"]',
    message: 'Private is #name.',
  },
]

function layerBlocks(layer) {
  const { folder, file, files } = layer
  if (files) return [{ files: files.map((name) => `lib/${name}.ts`), rules: importRules(layer, 0) }]
  if (file) return [{ files: [`lib/${folder}${file}.ts`], rules: importRules(layer, file.split('/').length) }]
  return [0, 1].map((further) => ({
    files: [`lib/${folder}${'*/'.repeat(further)}*.ts`],
    rules: importRules(layer, depthOf(folder) + further),
  }))
}

/** Stock max-lines-per-function, but silent on the callbacks of describe, it and their hooks: they are the file's outline. */
const functionLines = builtinRules.get('max-lines-per-function')
const OUTLINE = /^(?:describe|it|test|before|after)/
function isOutline(node) {
  let callee = node.parent?.type === 'CallExpression' ? node.parent.callee : undefined
  while (callee && callee.type !== 'Identifier') callee = callee.object ?? callee.callee ?? callee.tag
  return callee !== undefined && OUTLINE.test(callee.name)
}

/** Modules of ours that a text imports or exports from, types too. */
const IMPORTS = /^(?:import|export)\b[^'"]*?\bfrom '(\.[^']+)'|^import '(\.[^']+)'/gm
const sourceOf = (file, specifier) => join(dirname(file), specifier.replace(/\.js$/, '.ts'))
const imported = new Map()
/** What the file imports as it is on the disk, read again once it has changed. */
function importsOf(file) {
  const mtimeMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs
  if (mtimeMs === undefined) return []
  if (imported.get(file)?.mtimeMs !== mtimeMs) {
    const found = [...readFileSync(file, 'utf8').matchAll(IMPORTS)]
    imported.set(file, { mtimeMs, files: found.map(([, from, bare]) => sourceOf(file, from ?? bare)) })
  }
  return imported.get(file).files
}
/** The shortest chain of imports from one file to another, both ends included; `undefined` where there is none. */
function chainOf(from, to) {
  const before = new Map([[from, undefined]])
  for (const file of before.keys()) {
    if (file === to) {
      const chain = []
      for (let at = to; at !== undefined; at = before.get(at)) chain.unshift(at)
      return chain
    }
    for (const next of importsOf(file)) if (!before.has(next)) before.set(next, file)
  }
  return undefined
}

const LICENCE = '// SPDX-License-Identifier: Apache-2.0'
const local = {
  rules: {
    licence: {
      create: (context) => ({
        Program(node) {
          const [first, second] = context.sourceCode.lines
          const line = first.startsWith('#!') ? second : first
          if (line !== LICENCE) context.report({ node, message: `The first line is the licence: ${LICENCE}` })
        },
      }),
    },
    /** Of types, too: files that know each other are one idea in pieces, and cannot be understood one by one. */
    'import-circle': {
      create(context) {
        const check = (node) => {
          if (!node.source?.value.startsWith('.')) return
          const chain = chainOf(sourceOf(context.filename, node.source.value), context.filename)
          if (chain === undefined) return
          const names = chain.map((file) => file.slice(import.meta.dirname.length + 1)).join(' → ')
          context.report({ node, message: `This import closes a circle: ${names}` })
        }
        return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check }
      },
    },
    'spec-function-lines': {
      ...functionLines,
      create(context) {
        const report = (problem) => {
          if (!isOutline(problem.node)) context.report(problem)
        }
        return functionLines.create(Object.create(context, { report: { value: report } }))
      },
    },
  },
}

const BANNED_PROPERTIES = [
  {
    property: 'removeAllListeners',
    message: 'It removes listeners that are not ours: take off each of ours by name.',
  },
]
const CLOCK_AND_CHANCE = ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval']
const IMPURE_GLOBALS = [
  ...['Date', 'performance', 'process', 'crypto', 'queueMicrotask', 'clearImmediate'],
  ...CLOCK_AND_CHANCE,
]
const RANDOM = { object: 'Math', property: 'random', message: 'Chance is an argument: take a generator.' }
const bannedGlobals = (names, message) => [
  'error',
  { globals: names.map((name) => ({ name, message })), checkGlobalObject: true },
]

/** What browsers have that the page of `--web` uses. */
const PAGE_GLOBALS = [
  ...['document', 'window', 'location', 'history', 'sessionStorage', 'fetch', 'setTimeout', 'confirm'],
  ...['clearTimeout', 'AbortController'],
  ...['Option', 'URLSearchParams', 'TextDecoderStream', 'getComputedStyle', 'uPlot'],
]

const SPEC_SYNTAX = [
  {
    selector: 'CallExpression[callee.name=/^(it|test)$/] > Literal:first-child[value=/^should\\b/]',
    message: 'Name the behaviour: a plain sentence without "should".',
  },
]
const ALONE_OR_SKIPPED = ['it', 'test', 'describe'].flatMap((object) =>
  ['only', 'skip', 'todo'].map((property) => ({
    object,
    property,
    message: 'Commit no lone or skipped spec; skipIf with a reason is fine.',
  })),
)

export default defineConfig(
  globalIgnores([
    'dist/',
    'build/',
    'coverage/',
    'interop/go/',
    'bench/go/',
    'bench/results/',
    'web/vendor/',
  ]),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    plugins: { local },
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Index access right behind a length check is the way of the codecs; a branch there costs on the hot path.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // An async method without await still turns a throw into a rejection, which interfaces of promises need.
      '@typescript-eslint/require-await': 'off',
      eqeqeq: 'error',
      complexity: ['error', 12],
      'max-lines': ['error', 301], // 300 and the licence
      'local/licence': 'error',
      'max-lines-per-function': ['error', 50],
      'no-restricted-properties': ['error', ...BANNED_PROPERTIES],
    },
  },
  {
    files: ['lib/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...BANNED_SYNTAX], 'local/import-circle': 'error' },
  },
  { files: ['lib/**/*.ts'], ignores: ['lib/cli/**'], rules: { 'no-console': 'error' } },
  {
    files: ['web/*.js'],
    languageOptions: { globals: Object.fromEntries(PAGE_GLOBALS.map((name) => [name, 'readonly'])) },
    rules: { eqeqeq: 'error', complexity: ['error', 12], 'max-lines-per-function': ['error', 50] },
  },
  ...LAYERS.flatMap(layerBlocks),
  {
    files: ['lib/wire/**/*.ts', 'lib/core/**/*.ts'],
    rules: {
      'no-restricted-globals': bannedGlobals(
        IMPURE_GLOBALS,
        'wire/ and core/ get time and chance as arguments.',
      ),
      'no-restricted-properties': ['error', ...BANNED_PROPERTIES, RANDOM],
    },
  },
  {
    files: ['spec/**/*.ts', 'interop/**/*.ts'],
    rules: {
      'max-lines': ['error', 501],
      'max-lines-per-function': 'off',
      'local/spec-function-lines': ['error', 50],
      'no-restricted-properties': ['error', ...BANNED_PROPERTIES, RANDOM, ...ALONE_OR_SKIPPED],
      'no-restricted-syntax': ['error', ...SPEC_SYNTAX],
      // expect(object.method) and doubles without a body are what specs are made of.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  {
    files: ['spec/wire/**/*.ts', 'spec/core/**/*.ts'],
    rules: {
      'no-restricted-globals': bannedGlobals(CLOCK_AND_CHANCE, 'Protocol specs run in virtual time.'),
    },
  },
)
