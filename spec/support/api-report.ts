// SPDX-License-Identifier: Apache-2.0
/**
 * The public surface of the package as text: the declarations of each entry, without comments, and what they refer to.
 * `npm run docs:api` writes it to api/, so that each change of it shows in a diff.
 */
import { readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import ts from 'typescript'
import { entryDeclarations } from './declarations.js'

interface Module {
  readonly source: ts.SourceFile
  /** Declarations by name: overloads and merged interfaces are several. */
  readonly declared: ReadonlyMap<string, readonly ts.Node[]>
  /** Names that come from other modules of the package, and where they are called what. */
  readonly foreign: ReadonlyMap<string, Name>
}

interface Name {
  readonly file: string
  readonly name: string
}

/** A name where it is declared. */
interface Declared extends Name {
  readonly module: Module
  readonly nodes: readonly ts.Node[]
}

const ROOT = join(import.meta.dirname, '../..')
/** Where the reports are kept. */
export const API_FOLDER: string = join(ROOT, 'api')

/** The text of each entry of the package, which has been built, by the name of its file in api/. */
export function apiReports(): Map<string, string> {
  const reader = new Reader()
  const entries = [...entryDeclarations(ROOT)].map(([entry, file]) => ({
    entry,
    names: reader.exportsOf(file),
  }))
  const owners = new Map<string, string>()
  for (const { entry, names } of entries)
    for (const name of names.values()) owners.set(keyOf(name), owners.get(keyOf(name)) ?? entry)
  return new Map(
    entries.map(({ entry, names }) => [`${basename(entry)}.md`, reportOf(entry, names, reader, owners)]),
  )
}

function reportOf(
  entry: string,
  names: ReadonlyMap<string, Declared>,
  reader: Reader,
  owners: ReadonlyMap<string, string>,
): string {
  const exported = new Set([...names.values()].map(keyOf))
  const seen = new Map<string, Declared>()
  const borrowed = new Set<string>()
  const follow = (declared: Declared): void => {
    for (const other of reader.referencesOf(declared)) {
      const key = keyOf(other)
      if (exported.has(key) || seen.has(key)) continue
      if (owners.has(key)) borrowed.add(`- \`${other.name}\` of \`${owners.get(key)}\``)
      else follow(seen.set(key, other).get(key)!)
    }
  }
  for (const declared of names.values()) follow(declared)
  const inner = [...seen.values()].map((declared) => [declared.name, declared] as const)
  return [
    `# ${entry}`,
    'Written by `npm run docs:api`: the public surface, for review. Do not edit.',
    '## Exported',
    codeOf([...names]),
    ...(borrowed.size === 0 ? [] : ['## Used from other entries', [...borrowed].sort().join('\n')]),
    ...(inner.length === 0 ? [] : ['## Used, and not exported', codeOf(inner)]),
  ]
    .join('\n\n')
    .concat('\n')
}

function codeOf(names: readonly (readonly [string, Declared])[]): string {
  const sorted = [...names].sort(([a], [b]) => (a < b ? -1 : 1))
  return ['```ts', sorted.map(([name, declared]) => textOf(name, declared)).join('\n\n'), '```'].join('\n')
}

function textOf(name: string, { name: inner, module, nodes }: Declared): string {
  const texts = nodes.map((node) => node.getText(module.source))
  if (name !== inner) texts.push(`// exported as ${name}`)
  return texts.join('\n').replaceAll(/^ *(#private;|\/\*\*[^]*?\*\/)\n/gm, '')
}

function keyOf({ file, name }: Name): string {
  return `${file} ${name}`
}

/** Reads declarations by their syntax alone: what tsc writes needs no more. */
class Reader {
  readonly #modules = new Map<string, Module>()

  /** What a file exports, by the names that it gives them. */
  exportsOf(file: string): Map<string, Declared> {
    const { source, declared } = this.#module(file)
    const names = new Map<string, Declared>()
    for (const node of source.statements) {
      if (ts.isExportDeclaration(node)) {
        for (const { name, propertyName } of specifiersOf(node)) {
          const original = (propertyName ?? name).text
          names.set(name.text, this.#find({ file: targetOf(file, node) ?? file, name: original }))
        }
      }
    }
    for (const [name, nodes] of declared)
      if (nodes.some(isExported)) names.set(name, this.#find({ file, name }))
    return names
  }

  /** Types of the package that a declaration names. */
  referencesOf({ file, module, nodes }: Declared): Declared[] {
    const found: Declared[] = []
    const visit = (node: ts.Node): void => {
      const name = referredName(node)
      if (name !== undefined && (module.declared.has(name) || module.foreign.has(name)))
        found.push(this.#find({ file, name }))
      ts.forEachChild(node, visit)
    }
    nodes.forEach(visit)
    return found
  }

  #find(wanted: Name): Declared {
    const module = this.#module(wanted.file)
    const nodes = module.declared.get(wanted.name)
    if (nodes !== undefined) return { ...wanted, module, nodes }
    const foreign = module.foreign.get(wanted.name)
    if (foreign === undefined) throw new Error(`${wanted.name} is not declared in ${wanted.file}`)
    return this.#find(foreign)
  }

  #module(file: string): Module {
    const known = this.#modules.get(file)
    if (known !== undefined) return known
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
    const declared = new Map<string, ts.Node[]>()
    const foreign = new Map<string, Name>()
    for (const node of source.statements) {
      for (const name of declaredNames(node)) declared.set(name, [...(declared.get(name) ?? []), node])
      if (!ts.isImportDeclaration(node) && !ts.isExportDeclaration(node)) continue
      const target = targetOf(file, node)
      if (target === undefined) continue
      for (const { name, propertyName } of specifiersOf(node))
        foreign.set(name.text, { file: target, name: (propertyName ?? name).text })
    }
    const module = { source, declared, foreign }
    this.#modules.set(file, module)
    return module
  }
}

type Specifier = ts.ImportSpecifier | ts.ExportSpecifier

function specifiersOf(node: ts.ImportDeclaration | ts.ExportDeclaration): readonly Specifier[] {
  const named = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause
  return named !== undefined && (ts.isNamedImports(named) || ts.isNamedExports(named)) ? named.elements : []
}

/** The module of the package that an import or export is from. */
function targetOf(
  file: string,
  { moduleSpecifier }: ts.ImportDeclaration | ts.ExportDeclaration,
): string | undefined {
  if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return undefined
  const path = moduleSpecifier.text
  return path.startsWith('.') ? resolve(dirname(file), path.replace(/\.js$/, '.d.ts')) : undefined
}

function declaredNames(node: ts.Statement): string[] {
  if (ts.isVariableStatement(node))
    return node.declarationList.declarations.map(({ name }) => (name as ts.Identifier).text)
  const { name } = node as { name?: ts.Node }
  return name !== undefined && ts.isIdentifier(name) ? [name.text] : []
}

function isExported(node: ts.Node): boolean {
  return (
    ts.canHaveModifiers(node) &&
    !!ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  )
}

/** The first name of a type, of a class that is extended, or of `typeof`. */
function referredName(node: ts.Node): string | undefined {
  let name: ts.Node | undefined
  if (ts.isTypeReferenceNode(node)) name = node.typeName
  else if (ts.isExpressionWithTypeArguments(node)) name = node.expression
  else if (ts.isTypeQueryNode(node)) name = node.exprName
  while (name !== undefined && ts.isQualifiedName(name)) name = name.left
  return name !== undefined && ts.isIdentifier(name) ? name.text : undefined
}
