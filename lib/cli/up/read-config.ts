// SPDX-License-Identifier: Apache-2.0
/** Reads the file of `up`, checks all of it, and tells of every mistake with its line. */
import { dirname, resolve } from 'node:path'
import type { Option } from 'commander'
import type { Document, Node, Pair, YAMLMap } from 'yaml'
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { closest } from '../../closest.js'
import { oneLine } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { formatHostPort } from '../parse.js'
import { readOption } from '../streams/usage.js'
import type { AnyPart, ProcessFlags, Section, Value, Values } from './sections.js'
import { expected, flagsOf, isFile, keyOf, PROCESS_OPTIONS, SECTIONS } from './sections.js'

/** One serve, forward, socks or gateway. */
export interface ConfigPart {
  readonly section: Section
  /** `forward`, or `forward 2` if there are several. */
  readonly name: string
  readonly values: Values
  readonly part: AnyPart
}

export interface Config {
  readonly parts: readonly ConfigPart[]
  readonly flags: ProcessFlags
  /** Of the whole process. */
  readonly values: Values
}

/** A file with mistakes. Each is a line: `up.yaml:4: …`. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('; '))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** @throws {CliError} for a file that cannot be read; {ConfigError} for one with mistakes */
export function readConfig(file: string, env: CliIo['env']): Config {
  return new ConfigReader(file, env).read()
}

type Found = Map<string, { readonly value: Value; readonly lines: readonly number[] }>

class ConfigReader {
  readonly #file: string
  readonly #env: CliIo['env']
  readonly #lines = new LineCounter()
  readonly #document: Document.Parsed
  readonly #problems: { readonly line: number; readonly message: string }[] = []

  constructor(file: string, env: CliIo['env']) {
    this.#file = file
    this.#env = env
    const text = readOption(file).toString('utf8')
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      logLevel: 'silent',
    })
  }

  read(): Config {
    for (const { pos, message } of [...this.#document.errors, ...this.#document.warnings])
      this.#wrong(this.#lines.linePos(pos[0]).line, `this is not YAML: ${message}`)
    const root = this.#resolved(this.#document.contents)
    const parts: ConfigPart[] = []
    const found: Found = new Map()
    if (this.#problems.length === 0 && isMap(root))
      for (const pair of root.items) this.#readTop(pair, found, parts)
    else if (root !== null && this.#problems.length === 0)
      this.#wrong(1, 'the file must hold keys with values')
    const flags = this.#flags(PROCESS_OPTIONS, found) as ProcessFlags
    if (parts.length === 0 && this.#problems.length === 0)
      this.#wrong(1, `nothing is to run: add ${SECTIONS.map(({ name }) => name).join(', or ')}`)
    this.#refuseDoubledPlaces(parts)
    if (this.#problems.length > 0) throw new ConfigError(this.#told())
    return { parts, flags, values: valuesOf(found) }
  }

  #readTop(pair: Pair, found: Found, parts: ConfigPart[]): void {
    const key = this.#keyText(pair)
    const section = SECTIONS.find(({ name }) => name === key)
    if (section !== undefined) {
      const node = this.#resolved(pair.value)
      const items = isSeq(node) ? node.items : [node]
      for (const [index, item] of items.entries())
        this.#readPart(
          section,
          items.length > 1 ? `${key} ${index + 1}` : key,
          this.#resolved(item),
          pair,
          parts,
        )
      return
    }
    const option = PROCESS_OPTIONS.find((one) => keyOf(one) === key)
    if (option !== undefined) this.#readValue(option, pair, found)
    else this.#wrong(this.#lineOf(pair.key), unknownTop(key))
  }

  #readPart(section: Section, name: string, node: Node | null, above: Pair, parts: ConfigPart[]): void {
    const line = this.#lineOf(node ?? above.key)
    if (!isMap(node)) {
      this.#wrong(line, `${name} must hold keys with values, or be a list of such`)
      return
    }
    const before = this.#problems.length
    const found = this.#readMap(section, node)
    const flags = this.#flags(section.options, found)
    if (this.#problems.length > before) return
    try {
      parts.push({ section, name, values: valuesOf(found), part: section.prepare(flags, this.#env) })
    } catch (error) {
      this.#wrong(this.#lineOf(above.key), `${name}: ${oneLine(error)}`)
    }
  }

  #readMap(section: Section, node: YAMLMap): Found {
    const found: Found = new Map()
    for (const pair of node.items) {
      const key = this.#keyText(pair)
      const option = section.options.find((one) => keyOf(one) === key)
      if (option !== undefined) this.#readValue(option, pair, found)
      else this.#wrong(this.#lineOf(pair.key), unknownKey(key, section))
    }
    return found
  }

  #readValue(option: Option, pair: Pair, found: Found): void {
    const before = this.#problems.length
    const node = this.#resolved(pair.value)
    const items = isSeq(node) ? node.items.map((item) => this.#resolved(item)) : [node]
    const value =
      items.length === 1 && isScalar(items[0]) && typeof items[0].value === 'boolean'
        ? items[0].value
        : this.#texts(items)
    const key = keyOf(option)
    const line = this.#lineOf(node ?? pair.key)
    if (this.#problems.length > before) return
    if (value === undefined) this.#wrong(line, `${key} must be text, or a list of it`)
    else {
      const what = expected(option, value)
      if (what !== undefined) this.#wrong(line, `${key} ${what}`)
      else {
        const isPath = isFile(option) && typeof value !== 'boolean'
        const folder = dirname(this.#file)
        const whole = isPath ? value.map((text) => resolve(folder, text)) : value
        found.set(key, { value: whole, lines: items.map((item) => this.#lineOf(item ?? pair.key)) })
      }
    }
  }

  /** As they were written: a number may begin with zeros. */
  #texts(items: readonly (Node | null)[]): string[] | undefined {
    const texts = items.map((item) => {
      if (!isScalar(item) || item.value === null || typeof item.value === 'boolean') return undefined
      return typeof item.value === 'string' ? item.value : item.source
    })
    return texts.every((text) => text !== undefined) ? texts : undefined
  }

  #flags(options: readonly Option[], found: Found): object {
    return flagsOf(options, valuesOf(found), (key, index, message) => {
      const { value, lines } = found.get(key)!
      const text = typeof value === 'boolean' ? value : JSON.stringify(value[index])
      this.#wrong(lines[index]!, `${key}: ${text} is refused. ${message}`)
    })
  }

  #refuseDoubledPlaces(parts: readonly ConfigPart[]): void {
    const users = new Map<string, string>()
    for (const { name, part } of parts)
      for (const place of part.places) {
        const text = formatHostPort(place)
        const user = users.get(text)
        if (user !== undefined && place.port !== 0)
          this.#wrong(1, `${user} and ${name} both listen on ${text}`)
        users.set(text, name)
      }
  }

  #keyText({ key }: Pair): string {
    return isScalar(key) ? String(key.value) : String(key)
  }

  #resolved(node: unknown): Node | null {
    if (!isAlias(node)) return (node ?? null) as Node | null
    const found = node.resolve(this.#document)
    if (found === undefined)
      this.#wrong(
        this.#lineOf(node),
        `*${node.source} is an alias without an anchor: put text that begins with * in quotes`,
      )
    return found ?? null
  }

  #lineOf(node: unknown): number {
    const { range } = (node ?? {}) as Partial<Node>
    return range ? this.#lines.linePos(range[0]).line : 1
  }

  #wrong(line: number, message: string): void {
    this.#problems.push({ line, message })
  }

  #told(): string[] {
    return this.#problems
      .sort((a, b) => a.line - b.line)
      .map(({ line, message }) => `${this.#file}:${line}: ${oneLine({ message })}`)
  }
}

function valuesOf(found: Found): Map<string, Value> {
  return new Map([...found].map(([key, { value }]) => [key, value]))
}

function unknownTop(key: string): string {
  const homes = SECTIONS.filter(({ options }) => options.some((option) => keyOf(option) === key))
  if (homes.length > 0) return `${key} belongs below ${homes.map(({ name }) => name).join(' or ')}`
  const known = [...SECTIONS.map(({ name }) => name), ...PROCESS_OPTIONS.map(keyOf)]
  return unknown(key, known)
}

function unknownKey(key: string, { name, options }: Section): string {
  if (PROCESS_OPTIONS.some((option) => keyOf(option) === key))
    return `${key} is for the whole process: it belongs at the top of the file, not below ${name}`
  return unknown(key, options.map(keyOf))
}

function unknown(key: string, known: readonly string[]): string {
  const meant = closest(key, known)
  const hint = meant === undefined ? `use one of ${known.join(', ')}` : `did you mean ${meant}?`
  return `unknown key ${JSON.stringify(key)} (${hint})`
}
