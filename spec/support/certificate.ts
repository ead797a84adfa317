// SPDX-License-Identifier: Apache-2.0
/** Certificates for specs alone: self-signed, their keys are public, good for nothing else. */
import { X509Certificate } from 'node:crypto'

/** For localhost. */
export const CERTIFICATE: { readonly key: string; readonly cert: string } = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYqKW6f4vYniT5mFI
vzIdJ1YENa0LU///JKqSVHUFIZShRANCAARS3TyCpMCU3DdkYf7L8kKT78+it4mq
S714kjclV54iOr0Aha4yEt9hB/Ju54kfKf9nkYYHtjLZJKuwjvajLNlc
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBZzCCAQ6gAwIBAgIIDs6wzYtwHxUwCgYIKoZIzj0EAwIwFDESMBAGA1UEAxMJ
bG9jYWxob3N0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAUMRIw
EAYDVQQDEwlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARS3TyC
pMCU3DdkYf7L8kKT78+it4mqS714kjclV54iOr0Aha4yEt9hB/Ju54kfKf9nkYYH
tjLZJKuwjvajLNlco0gwRjAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBTzW+A2
RRwL5/M94qILmZibk3/XbzAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0E
AwIDRwAwRAIgS47/+1XAnv+LNF2rbp2sLEjboIqyc8HPWr++KKpD29wCIF+6rQqY
7/kplRtnwiuxVV8zfYJCQilBZx3a7J0aCLMJ
-----END CERTIFICATE-----
`,
}

/** Of a client that has to show one. */
export const CLIENT_CERTIFICATE: { readonly key: string; readonly cert: string } = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgxFRL+GMYVlZcutO4
uat1/Lri0w0tSfj0qI1htiHh722hRANCAAQnSquKDJK6l+Pqwi5WW7FB4KSY7+a2
X3/OYBv0ABQXmcuMoYRj51Y6PCBoQ09Lx2K4HKWr8yiBjPGuCoFcmUXa
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBSjCB8qADAgECAggHq6mB1EsqtTAKBggqhkjOPQQDAjARMQ8wDQYDVQQDEwZj
bGllbnQwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBExDzANBgNV
BAMTBmNsaWVudDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCdKq4oMkrqX4+rC
LlZbsUHgpJjv5rZff85gG/QAFBeZy4yhhGPnVjo8IGhDT0vHYrgcpavzKIGM8a4K
gVyZRdqjMjAwMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFB7VJOwuUH9IGI4a
kVrntwiqttb3MAoGCCqGSM49BAMCA0cAMEQCID8fXqZVgYkRYXI1oBRuZnvYZso/
SJdOVhGzmoUo9PerAiBnv/bFDYgMr4HH5DrbNCTHq09WDA+FIdwjl5dHt/tw3A==
-----END CERTIFICATE-----
`,
}

/** As Node prints it. */
export const FINGERPRINT: string = new X509Certificate(CERTIFICATE.cert).fingerprint256
