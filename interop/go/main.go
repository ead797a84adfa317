// SPDX-License-Identifier: Apache-2.0

// Command peer is the Go side of the interop suite and of the benches: an ordinary program on the unmodified
// github.com/getlantern/multipath, driven by JSON lines on standard input and answering with JSON lines on
// standard output. interop/README.md lists the operations. It ends when its standard input does.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/getlantern/golog"
)

// maxLine bounds one request: the longest writes a frame of the largest size, in hex.
const maxLine = 2*maxWrite + 1024

func main() {
	// The module logs to standard output unless told otherwise, which would mix with the answers.
	if os.Getenv("PEER_LOG") == "" {
		golog.SetOutputs(io.Discard, io.Discard)
	} else {
		golog.SetOutputs(os.Stderr, os.Stderr)
	}
	p := newPeer(os.Stdout)
	scanner := bufio.NewScanner(os.Stdin)
	scanner.Buffer(make([]byte, 64<<10), maxLine)
	for scanner.Scan() {
		var req request
		if err := json.Unmarshal(scanner.Bytes(), &req); err != nil {
			fmt.Fprintf(os.Stderr, "peer: not a request: %v\n", err)
			os.Exit(2)
		}
		go p.handle(&req)
	}
	if err := scanner.Err(); err != nil {
		fmt.Fprintf(os.Stderr, "peer: %v\n", err)
		os.Exit(1)
	}
}
