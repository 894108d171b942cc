package contest

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine says in a line what the figures were measured on.
func Machine() string {
	system := runtime.GOOS
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		system = "Linux " + strings.TrimSpace(string(release))
	}
	info, _ := os.ReadFile("/proc/cpuinfo")
	return fmt.Sprintf("%s, %d cores, %s/%s, %s", model(string(info)), runtime.NumCPU(), runtime.Version(), runtime.GOARCH, system)
}

// model finds the name of the processor in /proc/cpuinfo.
func model(info string) string {
	for text := range strings.Lines(info) {
		if key, value, ok := strings.Cut(text, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "a processor that does not tell its name"
}
