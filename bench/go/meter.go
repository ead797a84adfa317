// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
)

const (
	bucketMs   = 10 // width of the timeline's buckets
	gapAtLeast = 20 // shorter silences of the reader are not listed
)

// meter keeps what the reader of one connection got, and when.
type meter struct {
	mu      sync.Mutex
	detail  bool
	local   string
	bytes   int64
	first   float64
	last    float64
	buckets []int
	gaps    [][2]float64
}

func (m *meter) add(n int) {
	now := nowMs()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes += int64(n)
	if m.first == 0 {
		m.first, m.last = now, now
	}
	if m.detail {
		if now-m.last >= gapAtLeast {
			m.gaps = append(m.gaps, [2]float64{m.last, now - m.last})
		}
		at := int((now - m.first) / bucketMs)
		for len(m.buckets) <= at {
			m.buckets = append(m.buckets, 0)
		}
		m.buckets[at] += n
	}
	m.last = now
}

func (m *meter) report() event {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := event{"bytes": m.bytes, "first": m.first, "last": m.last, "local": m.local}
	if m.detail {
		e["bucketMs"] = bucketMs
		e["buckets"] = append([]int{}, m.buckets...)
		e["gaps"] = append([][2]float64{}, m.gaps...)
	}
	return e
}

// memory reads the process's resident memory and its peak from /proc, after a collection.
func memory() event {
	debug.FreeOSMemory()
	e := event{}
	status, err := os.ReadFile("/proc/self/status")
	check(err)
	for _, line := range strings.Split(string(status), "\n") {
		key, value, _ := strings.Cut(line, ":")
		name := map[string]string{"VmRSS": "rssKb", "VmHWM": "peakKb"}[key]
		if name != "" {
			kb, _ := strconv.Atoi(strings.Fields(value)[0])
			e[name] = kb
		}
	}
	return e
}
