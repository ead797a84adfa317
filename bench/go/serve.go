// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"sync"
)

type server struct {
	o      options
	mu     sync.Mutex
	meters []*meter
}

// serve accepts connections and reads (or echoes) all of them, until standard input ends.
func serve(o options, ask <-chan string) {
	s := &server{o: o}
	accept, addrs := listeners(o)
	for _, l := range accept {
		go s.accept(l)
	}
	say("listening", event{"addrs": addrs})
	for what := range ask {
		if what == "memory" {
			e := memory()
			e["connections"] = s.count()
			say("memory", e)
			continue
		}
		say("report", event{"connections": s.reports()})
	}
}

func (s *server) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		m := &meter{detail: s.o.count == 1, local: conn.LocalAddr().String()}
		// A dialling bench makes tens of thousands of connections whose meters nobody reads.
		if s.o.mode != "dials" {
			s.mu.Lock()
			s.meters = append(s.meters, m)
			s.mu.Unlock()
		}
		switch s.o.mode {
		case "echo":
			go echo(conn)
		case "messages":
			go answer(conn)
		default:
			go sink(conn, m)
		}
	}
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.meters)
}

func (s *server) reports() []event {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]event, 0, len(s.meters))
	for _, m := range s.meters {
		all = append(all, m.report())
	}
	return all
}

func sink(conn net.Conn, m *meter) {
	defer conn.Close()
	// Node's net reads 64 KiB at a time.
	into := make([]byte, 65536)
	for {
		n, err := conn.Read(into)
		if n > 0 {
			m.add(n)
		}
		if err != nil {
			return
		}
	}
}

func echo(conn net.Conn) {
	defer conn.Close()
	into := make([]byte, 65536)
	for {
		n, err := conn.Read(into)
		if err != nil {
			return
		}
		if _, err := conn.Write(into[:n]); err != nil {
			return
		}
	}
}
