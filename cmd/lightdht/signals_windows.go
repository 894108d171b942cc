package main

import "os"

// endOnHangup has nothing to do here.
func endOnHangup(func()) (forget func()) { return func() {} }

// hangups returns where SIGHUP is told: there is none here.
func hangups(bool) (told <-chan os.Signal, ignore func()) { return nil, func() {} }

// outliveReaders has nothing to do here.
func outliveReaders() {}

// endUnread has nothing to do here.
func endUnread() {}
