// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/getlantern/multipath"
)

// maxWrite is the largest Write that the module can carry: a frame above it makes the receiver close its subflow.
const maxWrite = 1 << 20

const defaultBuffer = 64 << 10

// tally counts, and hashes unless told not to.
type tally struct {
	start time.Time
	bytes int64
	calls int
	sum   hash.Hash
}

func newTally(req *request) *tally {
	t := &tally{start: time.Now()}
	if req.Hash == nil || *req.Hash {
		t.sum = sha256.New()
	}
	return t
}

func (t *tally) add(b []byte) {
	t.bytes += int64(len(b))
	t.calls++
	if t.sum != nil {
		t.sum.Write(b)
	}
}

func (t *tally) result() result {
	r := result{"bytes": t.bytes, "calls": t.calls, "ms": millis(time.Since(t.start))}
	if t.sum != nil {
		r["sha256"] = hex.EncodeToString(t.sum.Sum(nil))
	}
	return r
}

// send writes req.Bytes of the seeded stream in writes of req.Sizes, used in turn.
func send(c *conn, req *request) (result, error) {
	sizes := req.Sizes
	if len(sizes) == 0 {
		sizes = []int{32 << 10}
	}
	for _, size := range sizes {
		if size < 1 || size > maxWrite {
			return nil, fmt.Errorf("write size %d is not from 1 to %d", size, maxWrite)
		}
	}
	t, data, buf := newTally(req), newStream(req.Seed), make([]byte, maxWrite)
	for i := 0; t.bytes < req.Bytes; i++ {
		b := buf[:min(int64(sizes[i%len(sizes)]), req.Bytes-t.bytes)]
		data.fill(b)
		if _, err := c.Write(b); err != nil {
			return t.result(), err
		}
		t.add(b)
	}
	return t.result(), nil
}

// writeHex is one Write of given bytes, the empty one included.
func writeHex(c *conn, req *request) (result, error) {
	b, err := hex.DecodeString(req.Hex)
	if err != nil {
		return nil, err
	}
	n, err := c.Write(b)
	return result{"bytes": n}, err
}

// receive reads req.Bytes, or to the end without a number. The end is part of the answer, not an error: the
// module has only ErrClosed for it, whether all has arrived or not.
func receive(c *conn, req *request) (result, error) {
	t, want, buf := newTally(req), newStream(req.Seed), makeBuffer(req)
	mismatchAt, end, paused := int64(-1), "", false
	for req.Bytes == 0 || t.bytes < req.Bytes {
		if req.PauseMs > 0 && !paused && t.bytes >= req.PauseAt {
			paused = true
			time.Sleep(time.Duration(req.PauseMs) * time.Millisecond)
		}
		b := buf
		if left := req.Bytes - t.bytes; req.Bytes > 0 && left < int64(len(b)) {
			b = b[:left]
		}
		n, err := c.Read(b)
		if req.Seed != nil && mismatchAt < 0 {
			if i := want.check(b[:n]); i >= 0 {
				mismatchAt = t.bytes + int64(i)
			}
		}
		t.add(b[:n])
		if err != nil {
			end = err.Error()
			break
		}
	}
	r := t.result()
	r["mismatchAt"] = mismatchAt
	r["end"] = end
	return r, nil
}

// echo writes back all that it reads, until the end.
func echo(c *conn, req *request) (result, error) {
	t, buf := newTally(req), makeBuffer(req)
	for {
		n, err := c.Read(buf)
		if errors.Is(err, multipath.ErrClosed) || errors.Is(err, io.EOF) {
			return t.result(), nil
		}
		if err != nil {
			return t.result(), err
		}
		if n == 0 {
			continue // an empty Write would leave a hole in the module's frame numbers
		}
		t.add(buf[:n])
		if _, err := c.Write(buf[:n]); err != nil {
			return t.result(), err
		}
	}
}

func makeBuffer(req *request) []byte {
	if req.Buffer > 0 {
		return make([]byte, req.Buffer)
	}
	return make([]byte, defaultBuffer)
}
