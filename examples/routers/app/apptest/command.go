package apptest

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"

	"github.com/duckgen/duckgen/internal/testtier"
)

// command builds the program in the folder of the test, starts it and looks at its
// page.
func command(s *site) {
	testtier.NotShort(s.T, "the go command builds a program")
	program := filepath.Join(s.TempDir(), "kiosk.exe")
	if out, err := exec.CommandContext(s.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		s.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(s.Context(), program, "-addr", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	url := address(bufio.NewScanner(out))
	if url == "" {
		s.Fatal("the program does not say where it is")
	}
	g := s.guest()
	res, err := g.client.Get(url)
	if err != nil {
		s.Fatal(err)
	}
	g.read(res).want(http.StatusOK, "The kiosk")
	if runtime.GOOS == "windows" { // which has no interrupt for another process
		return
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		s.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		s.Errorf("when interrupted, it ends with %v", err)
	}
}

// address returns the first one that is printed.
func address(printed *bufio.Scanner) string {
	for printed.Scan() {
		if url := regexp.MustCompile(`http://[0-9.:]+`).FindString(printed.Text()); url != "" {
			return url
		}
	}
	return ""
}
