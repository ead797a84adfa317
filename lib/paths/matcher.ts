// SPDX-License-Identifier: Apache-2.0
/** Filters of interfaces and addresses: texts, regular expressions, or a function. */
import { BlockList, isIP } from 'node:net'
import { OptionError } from '../errors.js'

/** Texts and regular expressions of which one must match, or a function. */
export type Matcher<Subject> =
  | string
  | RegExp
  | readonly (string | RegExp)[]
  | ((subject: Subject) => boolean)

type Test<Value> = (value: Value) => boolean

/**
 * @param textOf - what of a subject the texts and regular expressions are compared with
 * @param testOf - what a text matches
 * @throws {OptionError} for an invalid matcher
 */
export function matcherOf<Subject>(
  name: string,
  matcher: Matcher<Subject>,
  textOf: (subject: Subject) => string,
  testOf: (text: string) => Test<string>,
): Test<Subject> {
  if (typeof matcher === 'function') return matcher
  const list: readonly unknown[] = Array.isArray(matcher) ? matcher : [matcher]
  const tests = list.map((one): Test<string> => {
    if (typeof one === 'string') return testOf(one)
    // search() minds neither the place of the last match nor the flags that keep it.
    if (one instanceof RegExp) return (text) => text.search(one) >= 0
    throw new OptionError(`${name} must be strings, regular expressions or a function`)
  })
  return (subject) => tests.some((test) => test(textOf(subject)))
}

/** `*` stands for any characters, `?` for one; the rest for itself. */
export function globTest(glob: string): Test<string> {
  const escaped = glob.replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`)
  const regex = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`)
  return (text) => regex.test(text)
}

/**
 * An address, or a network as `192.168.0.0/16`.
 *
 * @throws {OptionError} for a text that is neither
 */
export function networkTest(text: string): Test<string> {
  const [address = '', bits] = text.split('/')
  const family = isIP(address)
  const longest = family === 4 ? 32 : 128
  const length = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity
  if (family === 0 || length > longest)
    throw new OptionError(
      `addresses must be addresses or networks such as 192.168.0.0/16, got ${JSON.stringify(text)}`,
    )
  const network = new BlockList()
  network.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6')
  return (other) => isIP(other) === family && network.check(other, family === 4 ? 'ipv4' : 'ipv6')
}
