// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// dry says when packets that enter a link at times of the input would arrive, by a clock that begins at 0.
func dry(words, way string, input io.Reader) error {
	var f figures
	if err := f.parse(words); err != nil {
		return err
	}
	p, ok := map[string]params{"up": f.up, "down": f.down}[way]
	if !ok {
		return fmt.Errorf("-dry is up or down, not %q", way)
	}
	zero := time.Unix(0, 0)
	d := &direction{p: p}
	d.begin(zero)
	for {
		var ms float64
		var bytes int
		if _, err := fmt.Fscanln(input, &ms, &bytes); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("-dry wants lines 'MILLISECONDS BYTES': %v", err)
		}
		due, ok := d.admit(bytes, zero.Add(time.Duration(ms*1e6)))
		if ok {
			fmt.Println(float64(due.Sub(zero)) / 1e6)
		} else {
			fmt.Println("dropped")
		}
	}
}
