// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// latency sends req.Count messages of req.Size bytes, one at a time, to a peer that echoes them.
func latency(c *conn, req *request) (result, error) {
	message := make([]byte, max(req.Size, 1))
	took := make([]time.Duration, 0, req.Count)
	for i := 0; i < max(req.Count, 1); i++ {
		start := time.Now()
		if _, err := c.Write(message); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(c, message); err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	at := func(share float64) float64 { return millis(took[int(share*float64(len(took)-1))]) }
	return result{
		"count": len(took), "p50Ms": at(0.5), "p90Ms": at(0.9), "p99Ms": at(0.99), "maxMs": at(1),
	}, nil
}

// dialRate opens req.Count connections over the paths of req.Addrs, req.Parallel at a time. Closing them is not
// part of the time: the module's Close waits 33 ms for each subflow.
func (p *peer) dialRate(req *request) (result, error) {
	d, err := makeDialer(req)
	if err != nil {
		return nil, err
	}
	var next, failures atomic.Int64
	var dials, closes sync.WaitGroup
	start := time.Now()
	for i := 0; i < max(req.Parallel, 1); i++ {
		dials.Add(1)
		go func() {
			defer dials.Done()
			for next.Add(1) <= int64(req.Count) {
				c, err := d.openAndTry(req.Full)
				if err != nil {
					failures.Add(1)
					continue
				}
				closes.Add(1)
				go func() {
					defer closes.Done()
					_ = c.Close()
					c.cancel()
				}()
			}
		}()
	}
	dials.Wait()
	took := time.Since(start)
	closes.Wait()
	return result{
		"count": req.Count, "failures": failures.Load(), "ms": millis(took),
		"perSecond": float64(req.Count) / took.Seconds(),
	}, nil
}

func (d *dialer) openAndTry(full bool) (*conn, error) {
	c, err := d.open()
	if err != nil || !full {
		return c, err
	}
	b := []byte{1}
	if _, err = c.Write(b); err == nil {
		_, err = io.ReadFull(c, b)
	}
	if err != nil {
		_ = c.Close()
		c.cancel()
		return nil, fmt.Errorf("no echo: %w", err)
	}
	return c, nil
}

// memory tells what the process holds after a garbage collection; residentBytes is 0 where the system does not say.
func memory() result {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return result{
		"heapBytes": m.HeapAlloc, "stackBytes": m.StackInuse, "sysBytes": m.Sys,
		"residentBytes": residentBytes(), "goroutines": runtime.NumGoroutine(), "pid": os.Getpid(),
	}
}

func residentBytes() int64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(statm))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
