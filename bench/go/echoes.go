// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"time"
)

// echoes sends messages and times their answers, one after another or, with -every, by the clock whether or
// not the last answer has come.
func echoes(o options, conn net.Conn) {
	start, startMs := time.Now(), nowMs()
	end := start.Add(time.Duration(o.seconds * 1e9))
	sentAt := make(chan float64, 1<<16)
	answered := make(chan struct{}, 1)
	samples := make(chan [][2]float64, 1)
	finished := make(chan struct{})
	say("start", event{})
	go collect(o, conn, sentAt, answered, samples, finished)
	message := make([]byte, o.size)
	next := start
	for now := time.Now(); now.Before(end); now = time.Now() {
		if o.every > 0 && now.Before(next) {
			time.Sleep(next.Sub(now))
		}
		// How late the sender is counts as well.
		dueMs := nowMs()
		if o.every > 0 {
			dueMs = startMs + float64(next.Sub(start))/1e6
		}
		next = next.Add(time.Duration(o.every * 1e6))
		sentAt <- dueMs
		if _, err := conn.Write(message); err != nil {
			break
		}
		if o.every == 0 {
			<-answered
		}
	}
	close(finished)
	say("done", event{"echoes": <-samples})
}

// collect reads the answers; after the end it waits a little for those still under way.
func collect(o options, conn net.Conn, sentAt <-chan float64, answered chan<- struct{},
	samples chan<- [][2]float64, finished <-chan struct{}) {
	var all [][2]float64
	read := 0
	into := make([]byte, 65536)
	go func() {
		<-finished
		if o.every > 0 {
			time.Sleep(500 * time.Millisecond)
		}
		conn.Close()
	}()
	for {
		n, err := conn.Read(into)
		if err != nil {
			samples <- all
			return
		}
		for read += n; read >= o.size; read -= o.size {
			sent := <-sentAt
			all = append(all, [2]float64{sent, nowMs() - sent})
			if o.every == 0 {
				answered <- struct{}{}
			}
		}
	}
}
