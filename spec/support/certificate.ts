/** A certificate for specs alone: self-signed for localhost, its key is public, good for nothing else. */
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
