// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	"github.com/hashicorp/yamux"
)

// mux makes a session of the unmodified github.com/hashicorp/yamux over plain TCP, or over a connection of the
// multipath module. Its streams are connections to the other operations.
func (p *peer) mux(req *request) (result, error) {
	below, err := p.below(req)
	if err != nil {
		return nil, err
	}
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	if os.Getenv("PEER_LOG") != "" {
		config.LogOutput, config.Logger = nil, log.New(os.Stderr, "", log.Lmicroseconds)
	}
	if req.CloseMs > 0 {
		config.StreamCloseTimeout = time.Duration(req.CloseMs) * time.Millisecond
	}
	if req.Window > 0 {
		config.MaxStreamWindowSize = req.Window
	}
	open := map[string]func(io.ReadWriteCloser, *yamux.Config) (*yamux.Session, error){
		"client": yamux.Client,
		"server": yamux.Server,
	}[req.Role]
	if open == nil {
		return nil, fmt.Errorf("no role %q", req.Role)
	}
	session, err := open(below, config)
	if err != nil {
		return nil, err
	}
	return result{"session": p.sessions.add(session)}, nil
}

func (p *peer) below(req *request) (net.Conn, error) {
	if req.Addr != "" {
		return net.Dial("tcp", req.Addr)
	}
	return p.conns.get(req.Conn)
}

func (p *peer) dispatchMux(req *request) (result, error) {
	s, err := p.sessions.get(req.Session)
	if err != nil {
		return nil, err
	}
	switch req.Op {
	case "muxOpen":
		return p.addStream(s.Open())
	case "muxAccept":
		return p.addStream(s.Accept())
	case "muxEcho":
		go echoStreams(s)
		return nil, nil
	case "muxPing":
		rtt, err := s.Ping()
		return result{"ms": millis(rtt)}, err
	case "muxStreams":
		return result{"streams": s.NumStreams(), "closed": s.IsClosed()}, nil
	case "muxGoAway":
		return nil, s.GoAway()
	default:
		return nil, s.Close()
	}
}

func (p *peer) addStream(stream net.Conn, err error) (result, error) {
	if err != nil {
		return nil, err
	}
	return result{"conn": p.conns.add(&conn{Conn: stream})}, nil
}

// echoStreams echoes every stream until the session ends.
func echoStreams(s *yamux.Session) {
	for {
		stream, err := s.Accept()
		if err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(stream, stream)
			_ = stream.Close()
		}()
	}
}
