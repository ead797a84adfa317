// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

// stream is the seeded byte sequence that both sides can produce: the key stream of AES-128 in counter mode, its
// key the seed as a big-endian integer, its first counter block zero. The TypeScript twin is support/seeded-data.ts.
type stream struct {
	ctr     cipher.Stream
	scratch []byte
}

// newStream gives zeros for a nil seed: for benches, where making the data must cost nothing.
func newStream(seed *int) *stream {
	if seed == nil {
		return &stream{}
	}
	var key, iv [16]byte
	binary.BigEndian.PutUint64(key[8:], uint64(*seed))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // only for a wrong key length
	}
	return &stream{ctr: cipher.NewCTR(block, iv[:])}
}

func (s *stream) fill(b []byte) {
	if s.ctr == nil {
		return // the buffers of send are made once and stay zero
	}
	clear(b)
	s.ctr.XORKeyStream(b, b)
}

// check compares b with what comes next, and returns the index of the first wrong byte, or -1.
func (s *stream) check(b []byte) int {
	if len(s.scratch) < len(b) {
		s.scratch = make([]byte, len(b))
	}
	want := s.scratch[:len(b)]
	s.fill(want)
	if bytes.Equal(want, b) {
		return -1
	}
	for i := range b {
		if b[i] != want[i] {
			return i
		}
	}
	return -1
}
