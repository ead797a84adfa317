// SPDX-License-Identifier: Apache-2.0

// Command benchpeer is the Go side of the benches: multipath connections of getlantern/multipath, or plain
// TCP (MPTCP where GODEBUG=multipathtcp=1 says so), as the receiver (serve) or as the sender (dial).
//
// It takes the same arguments as bench/node/worker.ts and speaks the same JSON lines on standard output, so
// that the harness can pair either with either. It lives until its standard input ends.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/getlantern/golog"
)

type options struct {
	role, kind, mode string
	addrs, locals    []string
	size, count      int
	sizes            []int
	seconds, every   float64
	settle           time.Duration
}

// event is one line of output; "at" is the wall clock in milliseconds, which all processes share.
type event map[string]any

var output sync.Mutex

func say(name string, e event) {
	e["event"], e["at"] = name, nowMs()
	line, err := json.Marshal(e)
	check(err)
	output.Lock()
	defer output.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func nowMs() float64 { return float64(time.Now().UnixNano()) / 1e6 }

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchpeer:", err)
		os.Exit(1)
	}
}

func words(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func parse(args []string) options {
	o := options{role: args[0]}
	f := flag.NewFlagSet(o.role, flag.ExitOnError)
	addrs := f.String("addrs", "127.0.0.1:0", "addresses to listen on or to dial, one for each path")
	locals := f.String("locals", "", "local addresses to dial from, one for each path")
	settle := f.Float64("settle", 100, "milliseconds between the connection and its first byte")
	f.StringVar(&o.kind, "kind", "multipath", "multipath, plain, or udp of a call")
	f.StringVar(&o.mode, "mode", "sink", "serve: sink, echo, messages, call; dial: bulk, echo, messages, call, dials, hold, many")
	f.IntVar(&o.size, "size", 32768, "bytes in each write")
	f.IntVar(&o.count, "count", 1, "connections")
	f.Float64Var(&o.seconds, "seconds", 2, "how long to work")
	f.Float64Var(&o.every, "every", 0, "milliseconds between messages; 0 waits for each echo")
	sizes := f.String("sizes", "1000", "bytes of each message, taken in turn")
	check(f.Parse(args[1:]))
	for _, size := range words(*sizes) {
		n, err := strconv.Atoi(size)
		check(err)
		o.sizes = append(o.sizes, max(n, headBytes))
	}
	o.addrs, o.locals = words(*addrs), words(*locals)
	o.settle = time.Duration(*settle * 1e6)
	return o
}

func main() {
	golog.SetOutputs(io.Discard, io.Discard)
	if len(os.Args) < 2 || os.Args[1] != "serve" && os.Args[1] != "dial" {
		check(fmt.Errorf("usage: benchpeer serve|dial -kind … -mode …"))
	}
	o := parse(os.Args[1:])
	ask := make(chan string)
	go func() {
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			ask <- in.Text()
		}
		os.Exit(0)
	}()
	if o.role == "serve" && o.mode == "call" {
		serveCall(o, ask)
		return
	}
	if o.role == "serve" {
		serve(o, ask)
		return
	}
	go dial(o)
	for range ask {
		say("memory", memory())
	}
}
