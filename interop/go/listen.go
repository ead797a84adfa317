// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"

	"github.com/getlantern/multipath"
)

func (p *peer) listen(req *request) (result, error) {
	host := req.Host
	if host == "" {
		host = "127.0.0.1"
	}
	l := &listener{}
	var trackers []multipath.StatsTracker
	var addrs []string
	for i := 0; i < max(req.Paths, 1); i++ {
		inner, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			return nil, err
		}
		inner, err = listenOver(kindOf(req.Kinds, i), inner, req)
		if err != nil {
			return nil, err
		}
		t := &tracker{label: inner.Addr().String()}
		l.inner = append(l.inner, inner)
		l.trackers = append(l.trackers, t)
		trackers = append(trackers, t)
		addrs = append(addrs, inner.Addr().String())
	}
	l.Listener = multipath.NewListener(l.inner, trackers)
	id := p.listeners.add(l)
	go p.acceptAll(id, l, req)
	return result{"listener": id, "addrs": addrs}, nil
}

func (p *peer) acceptAll(id int, l *listener, req *request) {
	for {
		accepted, err := l.Accept()
		if err != nil {
			return
		}
		c := &conn{Conn: accepted}
		connID := p.conns.add(c)
		p.out.event("accepted", result{"listener": id, "conn": connID})
		if req.Serve != "" && req.Serve != "manual" {
			go p.serve(connID, c, req)
		}
	}
}

// serve runs one job on an accepted connection, closes it, and tells how it went.
func (p *peer) serve(id int, c *conn, req *request) {
	noHash := false
	var r result
	var err error
	switch req.Serve {
	case "echo":
		r, err = echo(c, req)
	case "sink":
		r, err = receive(c, &request{Buffer: req.Buffer})
	case "discard":
		r, err = receive(c, &request{Buffer: req.Buffer, Hash: &noHash})
	}
	if r == nil {
		r = result{}
	}
	if err != nil {
		r["error"] = err.Error()
	}
	_, _ = p.closeConn(id, c)
	r["conn"] = id
	p.out.event("served", r)
}

func (p *peer) closeListener(req *request) (result, error) {
	l, err := p.listeners.get(req.Listener)
	if err != nil {
		return nil, err
	}
	err = l.Close()
	// The module's Close leaves the sockets that it was given open.
	for _, inner := range l.inner {
		if closeErr := inner.Close(); err == nil {
			err = closeErr
		}
	}
	p.listeners.remove(req.Listener)
	return nil, err
}
