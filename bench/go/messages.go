// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"io"
	"math"
	"net"
	"time"
)

// What a message begins with: the moment at which it was written (a double, milliseconds) and its length.
const headBytes = 12

// messages sends the sizes in turn, each once the last one has arrived, and tells how long each took: the reader
// answers with the moment at which it had all of it.
func messages(o options, conn net.Conn) {
	end := time.Now().Add(time.Duration(o.seconds * 1e9))
	done := [][3]float64{}
	say("start", event{})
	answer := make([]byte, 8)
	for i := 0; time.Now().Before(end); i++ {
		size := o.sizes[i%len(o.sizes)]
		message := make([]byte, size)
		at := nowMs()
		binary.BigEndian.PutUint64(message, math.Float64bits(at))
		binary.BigEndian.PutUint32(message[8:], uint32(size))
		if _, err := conn.Write(message); err != nil {
			break
		}
		if _, err := io.ReadFull(conn, answer); err != nil {
			break
		}
		took := math.Float64frombits(binary.BigEndian.Uint64(answer)) - at
		done = append(done, [3]float64{float64(size), at, took})
	}
	say("done", event{"messages": done})
}

// answer answers each message when all of it has come.
func answer(conn net.Conn) {
	defer conn.Close()
	head := make([]byte, headBytes)
	at := make([]byte, 8)
	for {
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		rest := int64(binary.BigEndian.Uint32(head[8:])) - headBytes
		if _, err := io.CopyN(io.Discard, conn, rest); err != nil {
			return
		}
		binary.BigEndian.PutUint64(at, math.Float64bits(nowMs()))
		if _, err := conn.Write(at); err != nil {
			return
		}
	}
}
