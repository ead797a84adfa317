// SPDX-License-Identifier: Apache-2.0

// Command pagepeer is both ends of a page for bench/page: a web server, and a client that fetches the page's
// objects as a browser does over HTTP/1.1 without keep-alive, each over a TCP connection of its own, a few at
// a time. With GODEBUG=multipathtcp=1 both speak kernel MPTCP.
//
//	pagepeer serve -addr 0.0.0.0:8000 -size 20000
//	pagepeer fetch -addr 10.77.0.2:8000 -size 20000 -count 60 -parallel 6 -proxy socks5://127.0.0.1:1080
//
// It speaks JSON lines on standard output. The server lives until its standard input ends.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"
)

func say(name string, e map[string]any) {
	e["event"] = name
	line, err := json.Marshal(e)
	check(err)
	os.Stdout.Write(append(line, '\n'))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "pagepeer:", err)
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) < 2 || os.Args[1] != "serve" && os.Args[1] != "fetch" {
		check(fmt.Errorf("usage: pagepeer serve|fetch -addr …"))
	}
	f := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	addr := f.String("addr", "", "where the web server listens")
	size := f.Int("size", 20_000, "bytes of each object")
	count := f.Int("count", 60, "objects of the page")
	parallel := f.Int("parallel", 6, "requests at a time")
	proxy := f.String("proxy", "", "URL of a proxy")
	check(f.Parse(os.Args[2:]))
	if os.Args[1] == "serve" {
		serve(*addr, *size)
		return
	}
	fetchAll(*addr, *proxy, *size, *count, *parallel)
}

func serve(addr string, size int) {
	object := make([]byte, size)
	listener, err := net.Listen("tcp", addr)
	check(err)
	go func() {
		check(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(size))
			w.Write(object)
		})))
	}()
	say("listening", map[string]any{})
	io.Copy(io.Discard, os.Stdin)
}

func fetchAll(addr, proxy string, size, count, parallel int) {
	transport := &http.Transport{DisableKeepAlives: true}
	if proxy != "" {
		at, err := url.Parse(proxy)
		check(err)
		transport.Proxy = http.ProxyURL(at)
	}
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	objects := make(chan int, count)
	for i := range count {
		objects <- i
	}
	close(objects)
	start := time.Now()
	var work sync.WaitGroup
	for range parallel {
		work.Add(1)
		go func() {
			defer work.Done()
			for i := range objects {
				check(fetch(client, fmt.Sprintf("http://%s/%d", addr, i), size))
			}
		}()
	}
	work.Wait()
	say("done", map[string]any{"ms": float64(time.Since(start).Microseconds()) / 1000})
}

func fetch(client *http.Client, from string, size int) error {
	response, err := client.Get(from)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != 200 || len(body) != size) {
		err = fmt.Errorf("%s: status %d, %d bytes", from, response.StatusCode, len(body))
	}
	return err
}
