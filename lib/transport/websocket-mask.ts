/** The mask of RFC 6455, section 5.3: what a client sends is combined with four bytes that repeat. */

/** Fewer bytes are done one by one: looking at them as words would cost more. */
const WORTH_WORDS_BYTES = 64

const KEY = new Uint8Array(4)
const KEY_AS_WORD = new Int32Array(KEY.buffer)

/**
 * Masks or unmasks `bytes` where they are.
 *
 * @param phase - how many bytes of the frame's payload came before them
 */
export function applyMask(mask: Uint8Array, bytes: Uint8Array, phase: number): void {
  const end = bytes.length
  let at = 0
  if (end >= WORTH_WORDS_BYTES) {
    // Words begin at multiples of 4 of the memory below.
    at = -bytes.byteOffset & 3
    xorBytes(bytes, 0, at, mask, phase)
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (end - at) >> 2)
    xorWords(words, wordOf(mask, phase + at))
    at += words.length * 4
  }
  xorBytes(bytes, at, end, mask, phase)
}

function xorBytes(bytes: Uint8Array, from: number, to: number, mask: Uint8Array, phase: number): void {
  for (let at = from; at < to; at++) bytes[at]! ^= mask[(phase + at) & 3]!
}

/** Four at a time: a third faster than one. */
function xorWords(words: Int32Array, key: number): void {
  const { length } = words
  const fours = length & ~3
  let at = 0
  for (; at < fours; at += 4) {
    words[at]! ^= key
    words[at + 1]! ^= key
    words[at + 2]! ^= key
    words[at + 3]! ^= key
  }
  for (; at < length; at++) words[at]! ^= key
}

/** In the byte order of this machine. */
function wordOf(mask: Uint8Array, phase: number): number {
  for (let n = 0; n < 4; n++) KEY[n] = mask[(phase + n) & 3]!
  return KEY_AS_WORD[0]!
}
