// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// request is one line from the driver. Each operation uses the fields that it needs.
type request struct {
	ID int    `json:"id"`
	Op string `json:"op"`

	Conn     int `json:"conn"`
	Listener int `json:"listener"`
	Dialer   int `json:"dialer"`

	Host  string `json:"host"`  // listen: address to bind, 127.0.0.1 if empty
	Paths int    `json:"paths"` // listen: how many ports
	Serve string `json:"serve"` // listen: manual (default), echo, sink, discard

	Kinds []string `json:"kinds"` // listen, dialer: what carries each path, used in turn: tcp (default), tls, ws
	Cert  string   `json:"cert"`  // PEM; listen: of the TLS server; dialer: the authority that vouches for localhost
	Key   string   `json:"key"`   // PEM; listen: of the TLS server

	Addrs  []string `json:"addrs"`  // dialer: a path for each host:port
	Labels []string `json:"labels"` // dialer: path-0, path-1, ... if empty
	Local  []string `json:"local"`  // dialer: local addresses without port, for each path; "" is any

	Bytes   int64  `json:"bytes"`   // send, receive
	Seed    *int   `json:"seed"`    // send: what to send (zeros without); receive: what to expect (anything without)
	Sizes   []int  `json:"sizes"`   // send: sizes of the writes, used in turn
	Hash    *bool  `json:"hash"`    // send, receive: whether to compute SHA-256; true if absent
	PauseAt int64  `json:"pauseAt"` // receive: stop reading after so many bytes
	PauseMs int    `json:"pauseMs"` // receive: for so long
	Buffer  int    `json:"buffer"`  // receive, echo: size of the read buffer, 64 KiB if 0
	Hex     string `json:"hex"`     // write: the bytes of one Write

	Session int    `json:"session"`
	Addr    string `json:"addr"`        // mux: where to dial over plain TCP; over Conn if empty
	Role    string `json:"role"`        // mux: client or server
	CloseMs int    `json:"closeMs"`     // mux: StreamCloseTimeout, the module's own if 0
	Window  uint32 `json:"windowBytes"` // mux: MaxStreamWindowSize, the module's own if 0

	Count    int  `json:"count"`    // latency, dialRate
	Parallel int  `json:"parallel"` // dialRate
	Size     int  `json:"size"`     // latency: bytes of one message
	Full     bool `json:"full"`     // dialRate: each dial also echoes one byte
}

// result is the answer to a request, or an event when it has no id.
type result map[string]any

// answers writes lines; calls may come from any goroutine.
type answers struct {
	mu  sync.Mutex
	enc *json.Encoder
}

func newAnswers(w io.Writer) *answers {
	return &answers{enc: json.NewEncoder(w)}
}

func (a *answers) write(r result) {
	a.mu.Lock()
	defer a.mu.Unlock()
	// A driver that has gone away has closed our standard input too, which ends the program.
	_ = a.enc.Encode(r)
}

func (a *answers) event(name string, r result) {
	if r == nil {
		r = result{}
	}
	r["event"] = name
	a.write(r)
}

func (p *peer) handle(req *request) {
	r, err := p.dispatch(req)
	if r == nil {
		r = result{}
	}
	r["id"] = req.ID
	r["ok"] = err == nil
	if err != nil {
		r["error"] = err.Error()
	}
	p.out.write(r)
}

func (p *peer) dispatch(req *request) (result, error) {
	switch req.Op {
	case "listen":
		return p.listen(req)
	case "dialer":
		return p.newDialer(req)
	case "dial":
		return p.dial(req)
	case "dialRate":
		return p.dialRate(req)
	case "memory":
		return memory(), nil
	case "dialerStats":
		return p.dialerStats(req)
	case "listenerStats":
		return p.listenerStats(req)
	case "closeListener":
		return p.closeListener(req)
	case "mux":
		return p.mux(req)
	case "muxOpen", "muxAccept", "muxEcho", "muxPing", "muxStreams", "muxGoAway", "muxClose":
		return p.dispatchMux(req)
	}
	return p.dispatchConn(req)
}

func (p *peer) dispatchConn(req *request) (result, error) {
	c, err := p.conns.get(req.Conn)
	if err != nil {
		return nil, err
	}
	switch req.Op {
	case "send":
		return send(c, req)
	case "write":
		return writeHex(c, req)
	case "receive":
		return receive(c, req)
	case "finish":
		return nil, c.Close()
	case "echo":
		return echo(c, req)
	case "latency":
		return latency(c, req)
	case "close":
		return p.closeConn(req.Conn, c)
	}
	return nil, fmt.Errorf("unknown op %q", req.Op)
}
