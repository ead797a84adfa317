// SPDX-License-Identifier: Apache-2.0
/** Failures of a path that will not go away by themselves, and the option that corrects each. */
import { MultipathError } from '../../index.js'
import type { Answerer } from './probe.js'

export interface Fault {
  readonly reason: string
  /** What to do about it. */
  readonly hint: string
}

/** Of a path that failed. */
export interface FailedPath {
  /** `HOST:PORT`, for messages. */
  readonly place: string
  readonly usesTls: boolean
  readonly error: Error
}

const UNTRUSTED: readonly string[] = [
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
]

/** The fault that the error itself shows. */
export function knownFault({ place, error }: FailedPath): Fault | undefined {
  const { code = '' } = error as NodeJS.ErrnoException
  if (code === 'EADDRNOTAVAIL')
    return {
      reason: 'no interface of this machine has the source address',
      hint: 'correct the address behind @',
    }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return {
      reason: `the certificate of ${place} is for a different name`,
      hint: 'give its name with --tls-name, or the certificate with --tls-fingerprint',
    }
  if (UNTRUSTED.includes(code))
    return {
      reason: `the certificate of ${place} is not trusted: ${error.message}`,
      hint: 'give its authority with --tls-ca, or the certificate with --tls-fingerprint',
    }
  if (error.message.includes('does not match fingerprints'))
    return {
      reason: `the certificate of ${place} has a different fingerprint: ${error.message.split(' is ').at(-1)}`,
      hint: 'if that is the right one, give it with --tls-fingerprint',
    }
  if (code.includes('CERTIFICATE_REQUIRED') || code.includes('ALERT_UNKNOWN_CA'))
    return {
      reason: `${place} did not accept our certificate`,
      hint: 'give one that its --tls-client-ca has signed, with --tls-cert and --tls-key',
    }
  return undefined
}

const NO_HANDSHAKE: readonly string[] = [
  'ERR_MULTIPATH_HANDSHAKE',
  'ERR_MULTIPATH_HANDSHAKE_TIMEOUT',
  'ERR_MULTIPATH_UNEXPECTED_VERSION',
  'ERR_MULTIPATH_UNEXPECTED_CID',
]

/** Whether somebody answered, but not as expected: then it is worth asking who it is. */
export function isWorthAsking({ error, usesTls }: FailedPath): boolean {
  if (error instanceof MultipathError && NO_HANDSHAKE.includes(error.multipathCode)) return true
  const { code = '' } = error as NodeJS.ErrnoException
  return usesTls && (code.startsWith('ERR_SSL_') || code === 'ECONNRESET')
}

/** The fault that shows once it is known who answers there. */
export function faultOf({ place, usesTls }: Omit<FailedPath, 'error'>, who: Answerer): Fault | undefined {
  switch (who) {
    case 'tls':
      return usesTls
        ? undefined
        : { reason: `${place} uses TLS`, hint: 'give --tls, --tls-ca or --tls-fingerprint' }
    case 'multipath':
      return usesTls
        ? { reason: `${place} does not use TLS`, hint: 'omit --tls…, or start serve with --tls-cert' }
        : undefined
    case 'http':
      return { reason: `an HTTP server answers at ${place}`, hint: 'correct the port in --to' }
    case 'ssh':
      return { reason: `an SSH server answers at ${place}`, hint: 'correct the port in --to' }
    case 'unknown':
      return undefined
  }
}
