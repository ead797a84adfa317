// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// What carries a path. Without any it is plain TCP.
const (
	overTCP = "tcp"
	overTLS = "tls"
	overWS  = "ws"
)

// kindOf is what carries path i: kinds are used in turn.
func kindOf(kinds []string, i int) string {
	if len(kinds) == 0 {
		return overTCP
	}
	return kinds[i%len(kinds)]
}

// listenOver turns a listener on TCP into one of that kind.
func listenOver(kind string, inner net.Listener, req *request) (net.Listener, error) {
	switch kind {
	case overTCP:
		return inner, nil
	case overTLS:
		cert, err := tls.X509KeyPair([]byte(req.Cert), []byte(req.Key))
		if err != nil {
			return nil, err
		}
		config := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"multipath/0"}}
		return tls.NewListener(inner, config), nil
	case overWS:
		return newWSListener(inner), nil
	}
	return nil, fmt.Errorf("unknown kind %q", kind)
}

// dialFunc opens what carries a path to one address.
type dialFunc func(ctx context.Context, d *net.Dialer, addr string) (net.Conn, error)

func dialOver(kind string, req *request) (dialFunc, error) {
	switch kind {
	case overTCP:
		return func(ctx context.Context, d *net.Dialer, addr string) (net.Conn, error) {
			return d.DialContext(ctx, "tcp", addr)
		}, nil
	case overTLS:
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(req.Cert)) {
			return nil, errors.New("cert is no certificate")
		}
		config := &tls.Config{RootCAs: roots, ServerName: "localhost", NextProtos: []string{"multipath/0"}}
		return func(ctx context.Context, d *net.Dialer, addr string) (net.Conn, error) {
			return (&tls.Dialer{NetDialer: d, Config: config}).DialContext(ctx, "tcp", addr)
		}, nil
	case overWS:
		return dialWS, nil
	}
	return nil, fmt.Errorf("unknown kind %q", kind)
}

func dialWS(ctx context.Context, d *net.Dialer, addr string) (net.Conn, error) {
	client := &http.Client{Transport: &http.Transport{DialContext: d.DialContext}}
	ws, _, err := websocket.Dial(ctx, "ws://"+addr+"/", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		return nil, err
	}
	return newWSConn(ws), nil
}

// wsConn is a WebSocket as a net.Conn. NetConn's own Close cancels the module's pending Read first, which drops the
// TCP connection without a close frame: towards the peer it looks like a crash.
type wsConn struct {
	net.Conn
	ws *websocket.Conn
}

func newWSConn(ws *websocket.Conn) *wsConn {
	// Whatever context there is ends with the dial or the request.
	return &wsConn{websocket.NetConn(context.Background(), ws, websocket.MessageBinary), ws}
}

func (c *wsConn) Close() error {
	return c.ws.Close(websocket.StatusNormalClosure, "")
}

// wsListener brings each WebSocket that an HTTP server accepts as a net.Conn.
type wsListener struct {
	net.Listener
	server   *http.Server
	accepted chan net.Conn
	closed   context.Context
	close    context.CancelFunc
}

func newWSListener(inner net.Listener) *wsListener {
	l := &wsListener{Listener: inner, accepted: make(chan net.Conn)}
	l.closed, l.close = context.WithCancel(context.Background())
	l.server = &http.Server{Handler: http.HandlerFunc(l.serve), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = l.server.Serve(inner) }()
	return l
}

func (l *wsListener) serve(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // it has been answered
	}
	c := newWSConn(ws)
	select {
	case l.accepted <- c:
	case <-l.closed.Done():
		_ = c.Close()
	}
}

func (l *wsListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepted:
		return c, nil
	case <-l.closed.Done():
		return nil, net.ErrClosed
	}
}

func (l *wsListener) Close() error {
	l.close()
	return l.server.Close()
}
