// SPDX-License-Identifier: Apache-2.0
/** Pieces of SVG as text. */

/** XML has no way to write them. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

/** Attributes by name; their values are escaped. */
export type Attributes = Readonly<Record<string, string | number>>

export function element(name: string, attributes: Attributes, ...inside: readonly string[]): string {
  const all = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(shown(value))}"`)
  const start = `<${name}${all.join('')}`
  return inside.length === 0 ? `${start}/>` : `${start}>${inside.join('')}</${name}>`
}

export function text(x: number, y: number, words: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, escaped(words))
}

/** What a pointer that rests on `inside` is told. */
export function titled(words: string, ...inside: readonly string[]): string {
  return element('g', {}, element('title', {}, escaped(words)), ...inside)
}

/** Tenths of a pixel are finer than anybody sees. */
export function shown(value: string | number): string {
  return typeof value === 'string' ? value : String(Math.round(value * 10) / 10)
}

function escaped(words: string): string {
  return words
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(CONTROL, '\ufffd')
}
