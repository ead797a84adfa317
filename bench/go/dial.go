// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/getlantern/multipath"
)

func dial(o options) {
	all := dialers(o)
	if o.mode == "dials" {
		dials(o, all[0])
		return
	}
	conns := open(o, all)
	say("connected", event{"connections": len(conns)})
	time.Sleep(o.settle)
	switch o.mode {
	case "bulk", "many":
		bulk(o, all, conns)
	case "echo":
		echoes(o, conns[0])
	case "messages":
		messages(o, conns[0])
	case "call":
		call(o, conns[0])
	case "hold":
		say("done", event{})
	}
}

// open dials count connections with each dialer, 50 at a time.
func open(o options, all []multipath.Dialer) []net.Conn {
	var mu sync.Mutex
	var conns []net.Conn
	var work sync.WaitGroup
	places := make(chan struct{}, 50)
	for i := 0; i < o.count*len(all); i++ {
		places <- struct{}{}
		work.Add(1)
		go func() {
			conn, err := all[i%len(all)].DialContext(context.Background())
			check(err)
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			<-places
			work.Done()
		}()
	}
	work.Wait()
	return conns
}

// bulk writes on every connection for the given time, and says done without waiting for what is on its way.
func bulk(o options, all []multipath.Dialer, conns []net.Conn) {
	end := time.Now().Add(time.Duration(o.seconds * 1e9))
	data := make([]byte, o.size)
	var sent atomic.Int64
	say("start", event{})
	for _, conn := range conns {
		go func() {
			for time.Now().Before(end) {
				n, err := conn.Write(data)
				sent.Add(int64(n))
				if err != nil {
					return
				}
			}
		}()
	}
	// A write may hang on a dead path: the end is told by the clock, not by the writers.
	time.Sleep(time.Until(end))
	say("done", event{"sent": sent.Load(), "lines": lines(all)})
}

func lines(all []multipath.Dialer) []string {
	if stats, ok := all[0].(multipath.Stats); ok {
		return stats.FormatStats()
	}
	return nil
}

// dials opens and closes connections one after another.
func dials(o options, d multipath.Dialer) {
	end := time.Now().Add(time.Duration(o.seconds * 1e9))
	start, count := time.Now(), 0
	say("start", event{})
	for time.Now().Before(end) {
		ctx, cancel := context.WithCancel(context.Background())
		conn, err := d.DialContext(ctx)
		check(err)
		// Close waits about 33 ms for quiet: that is not the cost of dialling.
		go func() {
			conn.Close()
			cancel()
		}()
		count++
	}
	say("done", event{"dials": count, "seconds": time.Since(start).Seconds()})
}
