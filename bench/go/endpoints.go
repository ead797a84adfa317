// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net"

	"github.com/getlantern/multipath"
)

// path is one way to the server: an address to dial, from a local address where one is given.
type path struct{ network, addr, local string }

func (p path) Label() string { return p.addr }

func (p path) DialContext(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{}
	if p.local != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(p.local)}
	}
	return d.DialContext(ctx, p.network, p.addr)
}

func paths(o options) []path {
	all := make([]path, len(o.addrs))
	for i, addr := range o.addrs {
		all[i].network, all[i].addr = networkOf(o), addr
		if i < len(o.locals) {
			all[i].local = o.locals[i]
		}
	}
	return all
}

func networkOf(o options) string {
	if o.kind == "udp" {
		return "udp"
	}
	return "tcp"
}

// dialers gives what is to be dialled: one multipath dialer over all paths, or one plain one for each path.
func dialers(o options) []multipath.Dialer {
	var all []multipath.Dialer
	for _, p := range paths(o) {
		all = append(all, p)
	}
	if o.kind == "multipath" {
		return []multipath.Dialer{multipath.NewDialer("bench", all)}
	}
	return all
}

// listeners opens a socket for each address, and gives what connections are accepted from.
func listeners(o options) (accept []net.Listener, addrs []string) {
	var all []net.Listener
	for _, addr := range o.addrs {
		l, err := net.Listen("tcp", addr)
		check(err)
		all, addrs = append(all, l), append(addrs, l.Addr().String())
	}
	if o.kind != "multipath" {
		return all, addrs
	}
	trackers := make([]multipath.StatsTracker, len(all))
	for i := range trackers {
		trackers[i] = multipath.NullTracker{}
	}
	return []net.Listener{multipath.NewListener(all, trackers)}, addrs
}
