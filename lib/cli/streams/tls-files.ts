// SPDX-License-Identifier: Apache-2.0
/** Files of TLS that flags name, checked when they are read: Node takes a wrong authority without a word. */
import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { readOption, usage } from './usage.js'

export interface CertificateFlags {
  readonly tlsCert?: string
  readonly tlsKey?: string
}

export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
}

/** `undefined` where none is given. @throws {CliError} EXIT_USAGE for what is no certificate with its key */
export function loadCertificate({ tlsCert, tlsKey }: CertificateFlags): Certificate | undefined {
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw usage('--tls-cert and --tls-key must be given together')
  if (tlsCert === undefined || tlsKey === undefined) return undefined
  const [cert, key] = [readOption(tlsCert), readOption(tlsKey)]
  try {
    createSecureContext({ cert, key })
  } catch (error) {
    throw usage(
      `${tlsCert} and ${tlsKey} do not contain a certificate and its key: ${(error as Error).message}`,
    )
  }
  return { cert, key }
}

/** Certificates that vouch for others. @throws {CliError} EXIT_USAGE for what is none */
export function loadAuthority(file: string): Buffer {
  const ca = readOption(file)
  try {
    new X509Certificate(ca)
  } catch (error) {
    throw usage(`${file} does not contain a certificate: ${(error as Error).message}`)
  }
  return ca
}
