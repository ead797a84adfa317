// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/getlantern/multipath"
)

// path dials one address, optionally from a given local one.
type path struct {
	addr  string
	label string
	local string
	dial  dialFunc
}

func (p *path) DialContext(ctx context.Context) (net.Conn, error) {
	d := &net.Dialer{Timeout: 10 * time.Second}
	if p.local != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(p.local)}
	}
	return p.dial(ctx, d, p.addr)
}

func (p *path) Label() string {
	return p.label
}

func makeDialer(req *request) (*dialer, error) {
	if len(req.Addrs) == 0 {
		return nil, fmt.Errorf("no addrs")
	}
	var paths []multipath.Dialer
	for i, addr := range req.Addrs {
		dial, err := dialOver(kindOf(req.Kinds, i), req)
		if err != nil {
			return nil, err
		}
		p := &path{addr: addr, label: fmt.Sprintf("path-%d", i), dial: dial}
		if i < len(req.Labels) {
			p.label = req.Labels[i]
		}
		if i < len(req.Local) {
			p.local = req.Local[i]
		}
		paths = append(paths, p)
	}
	return &dialer{multipath.NewDialer("interop", paths)}, nil
}

func (p *peer) newDialer(req *request) (result, error) {
	d, err := makeDialer(req)
	if err != nil {
		return nil, err
	}
	return result{"dialer": p.dialers.add(d), "label": d.Label()}, nil
}

func (d *dialer) open() (*conn, error) {
	ctx, cancel := context.WithCancel(context.Background())
	opened, err := d.DialContext(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	return &conn{Conn: opened, cancel: cancel}, nil
}

func (p *peer) dial(req *request) (result, error) {
	d, err := p.dialers.get(req.Dialer)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	c, err := d.open()
	if err != nil {
		return nil, err
	}
	return result{"conn": p.conns.add(c), "ms": millis(time.Since(start))}, nil
}
