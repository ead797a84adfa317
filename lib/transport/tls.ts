// SPDX-License-Identifier: Apache-2.0
/** TLS as a path. */
import type { TcpNetConnectOpts } from 'node:net'
import type { ConnectionOptions, SecureContext, TLSSocket } from 'node:tls'
import { connect, createSecureContext } from 'node:tls'
import { OptionError, toError } from '../errors.js'
import { destroy, opened } from './opening.js'
import type { Names } from './path-options.js'
import {
  checkPort,
  checkStrings,
  pathOf,
  placeOf,
  refuseUnknownOptions,
  withoutPath,
} from './path-options.js'
import type { PinOptions } from './pins.js'
import { assertPinned, pinsOf } from './pins.js'
import { withoutRenegotiation } from './renegotiation.js'
import { TCP_NAMES } from './tcp.js'
import type { PathOptions, SubflowDialer } from './transport.js'

/** Options of `tls.connect` over TCP, of the path, and pins. */
export type TlsDialerOptions = Omit<ConnectionOptions, 'path' | 'port' | 'socket'> &
  TcpNetConnectOpts &
  PathOptions &
  PinOptions

/** Options of `tls.connect`, beside those of `net.connect`. */
const TLS_NAMES: Names<Omit<ConnectionOptions, keyof TcpNetConnectOpts | 'path' | 'socket'>> = {
  checkServerIdentity: true,
  servername: true,
  session: true,
  minDHSize: true,
  pskCallback: true,
  ALPNCallback: true,
  allowPartialTrustChain: true,
  ca: true,
  cert: true,
  sigalgs: true,
  ciphers: true,
  clientCertEngine: true,
  crl: true,
  dhparam: true,
  ecdhCurve: true,
  honorCipherOrder: true,
  key: true,
  privateKeyEngine: true,
  privateKeyIdentifier: true,
  maxVersion: true,
  minVersion: true,
  passphrase: true,
  pfx: true,
  secureOptions: true,
  secureProtocol: true,
  sessionIdContext: true,
  ticketKeys: true,
  sessionTimeout: true,
  secureContext: true,
  enableTrace: true,
  requestCert: true,
  ALPNProtocols: true,
  SNICallback: true,
  rejectUnauthorized: true,
}
/** Options of later versions of Node, and one that is not documented. */
const NEWER = ['certificateCompression', 'singleUse']
const KNOWN = {
  ...TCP_NAMES,
  ...TLS_NAMES,
  fingerprints: true,
  ...Object.fromEntries(NEWER.map((name) => [name, true])),
}
const ALPN = ['multipath/0']

/**
 * Returns a path over TLS. It opens once the certificate of the peer is verified, or its fingerprint is one of
 * `fingerprints`.
 *
 * @throws {OptionError} for an invalid port, label, address, fingerprint, key or certificate, or an unknown option
 */
export function tlsDialer(options: TlsDialerOptions): SubflowDialer {
  refuseUnknownOptions(options, KNOWN)
  const { fingerprints, ...settings } = withoutPath<TlsDialerOptions>(options)
  const { host = 'localhost', localAddress, servername } = settings
  const port = checkPort(settings.port)
  checkStrings({ label: options.label, host, localAddress, servername })
  const pins = pinsOf(fingerprints)
  const connection: ConnectionOptions = {
    ...settings,
    host,
    port,
    ALPNProtocols: settings.ALPNProtocols ?? ALPN,
    secureContext: settings.secureContext ?? contextOf(settings),
    ...(pins !== undefined && { rejectUnauthorized: false }),
  }
  const take = (socket: TLSSocket): TLSSocket => {
    if (pins !== undefined) assertPinned(socket, pins)
    return socket.setNoDelay(true)
  }
  return {
    ...pathOf(options, placeOf(host, port, localAddress)),
    dial: (dial) => {
      return opened({ open: () => connect(connection), event: 'secureConnect', take, close: destroy }, dial)
    },
  }
}

/** Made once: every redial uses it. */
function contextOf(settings: ConnectionOptions): SecureContext {
  try {
    return createSecureContext(withoutRenegotiation(settings))
  } catch (error) {
    throw new OptionError(`key, cert or another TLS option is invalid: ${toError(error).message}`)
  }
}
