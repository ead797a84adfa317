/** Certificates for specs alone: self-signed, their keys are public, good for nothing else. */
import { X509Certificate } from 'node:crypto'

/** For localhost. */
export const CERTIFICATE: { readonly key: string; readonly cert: string } = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZ8ZSXXzkarb78lbq
bkDAtx89Lf5a9EJp0A9AX1+2bfShRANCAATvWJHpvwq4rAMXsYIjmvSL7QwcNwTn
8gZWw9cmJ8FHD5ZB6k66U0T6XHZMtcgkaPdy2mhffNie2gKLvKAjNnKu
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBfjCCASWgAwIBAgIUDqoTfHCMv2geqmbnYTeLnYcGugUwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA5MDcwMFoYDzIxMjYxMDI4
MDkwNzAwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATvWJHpvwq4rAMXsYIjmvSL7QwcNwTn8gZWw9cmJ8FHD5ZB6k66U0T6
XHZMtcgkaPdy2mhffNie2gKLvKAjNnKuo1MwUTAdBgNVHQ4EFgQUH2jSSuMMp7UI
SKvRlPKEecepkkMwHwYDVR0jBBgwFoAUH2jSSuMMp7UISKvRlPKEecepkkMwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBzg/hgbQIAA4KIz7WMqBwo
9mER2I3rcKXsuu3rmi6HQwIgTFOPAva5qr7oIlnSwlmwy+pibkJo4YGyg/G/rxGO
pOc=
-----END CERTIFICATE-----
`,
}

/** Of a client that has to show one. */
export const CLIENT_CERTIFICATE: { readonly key: string; readonly cert: string } = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgcJvMfFcEVb60yv++
pxF6wgdPgAEqEvYWHnDFoVgpfkehRANCAARja5cIulPlOXFu54BNkMnidYupTmVx
xRnDN6FTZ7K+fnSq+/DjhwCFQar7ZihaWSjaMZvYH5UOp5L0h1AmmX9v
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUUhXX96HGUHcH/i+DevOz9uNvF7swCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGY2xpZW50MCAXDTI2MTEyMTE2MDAwMFoYDzIxMjYxMDI4MTYw
MDAwWjARMQ8wDQYDVQQDDAZjbGllbnQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AARja5cIulPlOXFu54BNkMnidYupTmVxxRnDN6FTZ7K+fnSq+/DjhwCFQar7Ziha
WSjaMZvYH5UOp5L0h1AmmX9vo1MwUTAdBgNVHQ4EFgQUAPYlTCW/HaCx9sC3yzo6
DFnelmgwHwYDVR0jBBgwFoAUAPYlTCW/HaCx9sC3yzo6DFnelmgwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBk6YK/HGhSI3LjHmj+nuQXxacN+M/I
ongDTlP3EUKCuQIhAOz+QgAur6WvV3ryxuRefCfA+Tv54Q37I7EsZ/vhyOCX
-----END CERTIFICATE-----
`,
}

/** As Node prints it. */
export const FINGERPRINT: string = new X509Certificate(CERTIFICATE.cert).fingerprint256
