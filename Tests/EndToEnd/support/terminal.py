"""A terminal with a shell in it: tmux, which is a real one, and can be asked what stands on its screen."""

import os
import re
import subprocess

from lab import eventually


class Terminal:
    def __init__(self, directory, environment, columns=80, rows=24):
        # Short: the path of a Unix socket has 107 bytes at most.
        self.socket = directory / "tmux"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TMUX", "LC_"))}
        self.environment = {**clean, "LANG": "C.UTF-8", **environment}
        # A shell with job control that reads no files of whoever runs the tests.
        (directory / "rc").write_text("PS1='$ '\n")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
                  f"exec bash --noprofile --rcfile {directory}/rc -i")
        self.until(lambda screen: screen.endswith("$"))

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-S", self.socket, *arguments], check=True, capture_output=True,
                              text=True, timeout=30, env=self.environment).stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux("kill-server")

    def type(self, text):
        """Types a line."""
        self.tmux("send-keys", "-l", text)
        self.press("Enter")

    def press(self, key):
        self.tmux("send-keys", key)

    def screen(self, *flags):
        """What stands there, without what is blank at the ends of lines and below."""
        lines = self.tmux("capture-pane", "-p", *flags).splitlines()
        return "\n".join(line.rstrip() for line in lines).rstrip()

    def everything(self):
        """The same with what has scrolled away, broken lines joined."""
        return self.screen("-J", "-S", "-")

    def until(self, condition, seconds=30):
        """Waits until the screen is as it should be, and returns it."""
        found = {}

        def holds():
            found["screen"] = self.screen()
            return condition(found["screen"])

        try:
            eventually(holds, seconds)
        except AssertionError:
            raise AssertionError(f"never came to be; on the screen stands:\n{found['screen']}") from None
        return found["screen"]

    def shows(self, text, seconds=30):
        return self.until(lambda screen: text in screen, seconds)

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def write(self, text):
        """Writes to the terminal as any other program may."""
        with open(self.value("pane_tty"), "w") as device:
            device.write(text)

    def value(self, name):
        return self.tmux("display-message", "-p", f"#{{{name}}}").strip()

    @property
    def cursor_is_visible(self):
        return self.value("cursor_flag") == "1"

    def exit_code(self):
        """Of the command that has just ended."""
        self.type("echo rc=$?.")
        return int(re.search(r"^rc=(\d+)\.$", self.until(lambda s: re.search(r"^rc=\d+\.$", s, re.M)), re.M)[1])
