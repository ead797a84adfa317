// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"unsafe"
)

const (
	sysSetns  = 308 // amd64; 268 on arm64, see setnsNumber
	tunSetIff = 0x400454ca
	iffTun    = 0x0001
	iffNoPi   = 0x1000
)

func setnsNumber() uintptr {
	if runtime.GOARCH == "arm64" {
		return 268
	}
	return sysSetns
}

func ip(args ...string) error {
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func addNamespaces(names ...string) error {
	for _, ns := range names {
		if err := ip("netns", "add", ns); err != nil {
			return err
		}
		if err := ip("-n", ns, "link", "set", "lo", "up"); err != nil {
			return err
		}
	}
	return nil
}

// tun opens a TUN device called name inside the namespace ns.
func tun(ns, name string) (f *os.File, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread, now in the other namespace, ends with this goroutine
		f, err = openTun(ns, name)
	}()
	<-done
	if err != nil {
		return nil, fmt.Errorf("tun %s in %s: %v", name, ns, err)
	}
	return f, nil
}

func openTun(ns, name string) (*os.File, error) {
	h, err := os.Open("/var/run/netns/" + ns)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	if _, _, e := syscall.RawSyscall(setnsNumber(), h.Fd(), syscall.CLONE_NEWNET, 0); e != 0 {
		return nil, e
	}
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	var req [40]byte
	copy(req[:15], name)
	*(*uint16)(unsafe.Pointer(&req[16])) = iffTun | iffNoPi
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), tunSetIff, uintptr(unsafe.Pointer(&req[0]))); e != 0 {
		syscall.Close(fd)
		return nil, e
	}
	return os.NewFile(uintptr(fd), name), nil
}
