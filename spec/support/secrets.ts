// SPDX-License-Identifier: Apache-2.0
/** Looks for a secret, or a large enough part of it, in whatever way bytes become text. */

/** So many of its bytes in a row are found. Fewer tell too little, and come about by chance. */
const PART_BYTES = 6

/** Whether six bytes of `secret` in a row stand in `text`: in hex, as in a UUID or a dump, in base64, as numbers, or raw. */
export function tells(text: string, secret: Uint8Array): boolean {
  const bytes = Buffer.from(secret)
  const digits = text.toLowerCase().replaceAll(/[^\da-f]/g, '')
  const numbers = `,${text.replaceAll(/[^\d,]/g, '')},`
  for (let at = 0; at + PART_BYTES <= bytes.length; at++) {
    const part = bytes.subarray(at, at + PART_BYTES)
    if (digits.includes(part.toString('hex')) || numbers.includes(`,${[...part].join(',')},`)) return true
    const raw = [part.toString('base64'), part.toString('base64url'), part.toString('latin1')]
    if (raw.some((form) => text.includes(form))) return true
  }
  return false
}
