// SPDX-License-Identifier: Apache-2.0
/** Certificates known by their fingerprint, whoever issued them. */
import type { Duplex } from 'node:stream'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import { MultipathError, OptionError } from '../errors.js'

/** Certificates that are accepted, by their fingerprints. */
export interface PinOptions {
  /**
   * SHA-256 of the certificates that the peer may have, as Node prints them: `AB:CD:…`. When given, they take
   * the place of authorities and host names.
   */
  readonly fingerprints?: readonly string[] | undefined
}

/** SHA-256 fingerprints in capitals. */
export type Pins = ReadonlySet<string>

const FINGERPRINT = /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/i

/** @throws {OptionError} */
export function pinsOf(fingerprints: unknown): Pins | undefined {
  if (fingerprints === undefined) return undefined
  const isList = Array.isArray(fingerprints) && fingerprints.length > 0
  if (!isList || !fingerprints.every((pin) => typeof pin === 'string' && FINGERPRINT.test(pin)))
    throw new OptionError(
      'fingerprints must be at least one SHA-256 fingerprint of 32 bytes, such as AB:CD:…',
    )
  return new Set((fingerprints as string[]).map((pin) => pin.toUpperCase()))
}

/** @throws ERR_MULTIPATH_HANDSHAKE for a certificate that is not among `pins`, and for a stream without TLS */
export function assertPinned(stream: Duplex, pins: Pins): void {
  const { fingerprint256 } = ((stream as Partial<TLSSocket>).getPeerCertificate?.() ??
    {}) as Partial<PeerCertificate>
  if (fingerprint256 !== undefined && pins.has(fingerprint256.toUpperCase())) return
  throw new MultipathError(
    'ERR_MULTIPATH_HANDSHAKE',
    `the certificate of the peer does not match fingerprints: its fingerprint is ${fingerprint256 ?? 'missing'}`,
  )
}
