// SPDX-License-Identifier: Apache-2.0

package main

import (
	"reflect"
	"sync/atomic"
	"time"

	"github.com/getlantern/multipath"
)

// tracker counts what the module reports for one listening socket.
type tracker struct {
	label                                        string
	framesRecv, framesSent, framesRetransmit     atomic.Uint64
	bytesRecv, bytesSent, bytesRetransmit, rttNs atomic.Uint64
}

func (t *tracker) OnRecv(n uint64) {
	t.framesRecv.Add(1)
	t.bytesRecv.Add(n)
}

func (t *tracker) OnSent(n uint64) {
	t.framesSent.Add(1)
	t.bytesSent.Add(n)
}

func (t *tracker) OnRetransmit(n uint64) {
	t.framesRetransmit.Add(1)
	t.bytesRetransmit.Add(n)
}

func (t *tracker) UpdateRTT(rtt time.Duration) {
	t.rttNs.Store(uint64(rtt))
}

func (p *peer) listenerStats(req *request) (result, error) {
	l, err := p.listeners.get(req.Listener)
	if err != nil {
		return nil, err
	}
	var paths []result
	for _, t := range l.trackers {
		paths = append(paths, result{
			"label":      t.label,
			"framesRecv": t.framesRecv.Load(), "bytesRecv": t.bytesRecv.Load(),
			"framesSent": t.framesSent.Load(), "bytesSent": t.bytesSent.Load(),
			"framesRetransmit": t.framesRetransmit.Load(), "bytesRetransmit": t.bytesRetransmit.Load(),
			"rttMs": millis(time.Duration(t.rttNs.Load())),
		})
	}
	return result{"paths": paths}, nil
}

// dialerStats gives FormatStats and the exact numbers behind it. The module prints rounded bytes and takes no tracker
// for a dialer, so the counters are read by reflection; go.mod pins the version that has these field names.
func (p *peer) dialerStats(req *request) (result, error) {
	d, err := p.dialers.get(req.Dialer)
	if err != nil {
		return nil, err
	}
	counters := []string{
		"successes", "consecSuccesses", "failures", "framesSent", "framesRetransmit", "framesRecv",
		"bytesSent", "bytesRetransmit", "bytesRecv",
	}
	inner := reflect.ValueOf(d.Dialer).Elem().FieldByName("dialers")
	var paths []result
	for i := 0; i < inner.Len(); i++ {
		path := inner.Index(i).Elem()
		r := result{"label": path.FieldByName("label").String()}
		for _, name := range counters {
			r[name] = path.FieldByName(name).Uint()
		}
		paths = append(paths, r)
	}
	return result{"formatStats": d.Dialer.(multipath.Stats).FormatStats(), "paths": paths}, nil
}
