/** TLS as a path. */
import type { TcpNetConnectOpts } from 'node:net'
import type { ConnectionOptions, PeerCertificate, SecureContext, TLSSocket } from 'node:tls'
import { connect, createSecureContext } from 'node:tls'
import { MultipathError, OptionError, toError } from '../errors.js'
import { closedByReset, destroy, opened } from './opening.js'
import { checkPort, checkStrings, pathOf, placeOf, withoutPath } from './path-options.js'
import type { PathOptions, SubflowDialer } from './transport.js'

/** Options of `tls.connect` over TCP, of the path, and pins. */
export type TlsDialerOptions = Omit<ConnectionOptions, 'path' | 'port' | 'socket'> &
  TcpNetConnectOpts &
  PathOptions & {
    /**
     * SHA-256 of the certificates that the peer may have, as Node prints them: `AB:CD:…`. When given, they take
     * the place of authorities and host names.
     */
    readonly fingerprints?: readonly string[] | undefined
  }

const ALPN = ['multipath/0']
const FINGERPRINT = /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/i

/**
 * A path over TLS, open once the peer's certificate is verified or its fingerprint found among `fingerprints`.
 *
 * @throws {OptionError} for a port, label, address, fingerprint, key or certificate that is none
 */
export function tlsDialer(options: TlsDialerOptions): SubflowDialer {
  const { fingerprints, ...settings } = withoutPath<TlsDialerOptions>(options)
  const { port, host = 'localhost', localAddress, servername } = settings
  checkPort(port)
  checkStrings({ label: options.label, host, localAddress, servername })
  const pins = pinsOf(fingerprints)
  const connection: ConnectionOptions = {
    ...settings,
    host,
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
    dial: ({ signal }) => {
      const open = (): TLSSocket => closedByReset(connect(connection))
      return opened({ open, event: 'secureConnect', take, close: destroy }, signal)
    },
  }
}

/** Made once: every redial uses it. */
function contextOf(settings: ConnectionOptions): SecureContext {
  try {
    return createSecureContext(settings)
  } catch (error) {
    throw new OptionError(`key, cert or another option of TLS is wrong: ${toError(error).message}`)
  }
}

function pinsOf(fingerprints: unknown): ReadonlySet<string> | undefined {
  if (fingerprints === undefined) return undefined
  const isList = Array.isArray(fingerprints) && fingerprints.length > 0
  if (!isList || !fingerprints.every((pin) => typeof pin === 'string' && FINGERPRINT.test(pin)))
    throw new OptionError('fingerprints must be SHA-256 fingerprints as AB:CD:…, 32 bytes each, at least one')
  return new Set((fingerprints as string[]).map((pin) => pin.toUpperCase()))
}

function assertPinned(socket: TLSSocket, pins: ReadonlySet<string>): void {
  const { fingerprint256 } = socket.getPeerCertificate() as Partial<PeerCertificate>
  if (fingerprint256 !== undefined && pins.has(fingerprint256.toUpperCase())) return
  throw new MultipathError(
    'ERR_MULTIPATH_HANDSHAKE',
    `the peer's certificate has the fingerprint ${fingerprint256 ?? 'of none'}, not one that was expected`,
  )
}
