"""The live view of a rotation, on a real terminal: what other programs, the user and the server do to it."""

import time

import pytest
from terminal import Terminal

VIEW = "demo  Talos API CA"


@pytest.fixture
def lab(new_lab):
    return new_lab().start()


@pytest.fixture
def open_terminal(lab, tmp_path_factory):
    opened = []

    def make(**options):
        environment = {"OMNI_ENDPOINT": f"unix:{lab.socket}", "PATH": f"{lab.binaries}:/usr/bin:/bin",
                       **options.pop("environment", {})}
        terminal = Terminal(tmp_path_factory.mktemp("tmux"), environment, **options)
        opened.append(terminal)
        return terminal

    yield make
    for terminal in opened:
        terminal.tmux("kill-server")


FOLLOW = "omnictl cluster -n demo secret rotate status"


def waiting(lab):
    """A rotation that waits for a worker."""
    lab.import_cluster()
    lab.rotate_without(lab.workers[-1].name)
    with lab.watch(cluster=lab.name) as watch:
        watch.until(lambda s: any(m.waiting_since.seconds for m in s.machines))
    return lab.workers[-1].name


def test_what_another_program_writes_stays_and_the_view_goes_on(lab, open_terminal):
    waiting(lab)
    terminal = open_terminal()
    terminal.type(FOLLOW)
    terminal.shows("waiting")
    for number in range(4):
        # Longer than a second apart: each finds the view drawn.
        terminal.write(f"kernel: line {number}\n")
        time.sleep(1.2)
    screen = terminal.screen()
    for number in range(4):
        assert screen.splitlines().count(f"kernel: line {number}") == 1, screen
    for text in (VIEW, "PRE-ROTATE", "ROTATE  ", "POST-ROTATE"):
        assert sum(text in line for line in screen.splitlines()) >= 1, screen
    assert screen.count(VIEW) == 1 and screen.count("POST-ROTATE") == 1, screen
    assert screen.index("kernel: line 3") < screen.index(VIEW), screen


@pytest.mark.parametrize("sizes", [[(40, 24), (120, 40), (80, 24)], [(80, 5), (80, 24)], [(40, 24), (40, 6), (100, 30)]])
def test_a_resize_leaves_one_view_whole(lab, open_terminal, sizes):
    worker = waiting(lab)
    terminal = open_terminal()
    terminal.type(FOLLOW)
    terminal.shows(worker)
    for columns, rows in sizes:
        terminal.resize(columns, rows)
        time.sleep(1.5)
        screen = terminal.screen()
        assert screen.count("demo  Talos API") == 1, (columns, rows, screen)
        assert screen.count("PRE-ROTATE") == 1, (columns, rows, screen)
        assert len(screen.splitlines()) <= rows, screen
    assert worker in screen, screen


def test_a_restart_of_omnid_is_told_and_survived(lab, open_terminal):
    worker = waiting(lab)
    terminal = open_terminal()
    terminal.type(FOLLOW)
    terminal.shows("waiting")
    lab.stop(9)
    terminal.shows("omnid has not answered for")
    lab.start()
    terminal.until(lambda screen: "has not answered" not in screen and VIEW in screen)
    lab.switch(worker, "start")
    screen = terminal.shows("what comes next:", seconds=60)
    assert "SUCCEEDED" in screen and screen.count(VIEW) == 1, screen
    assert "talosconfig" in screen[screen.index("what comes next:"):], screen
    assert terminal.cursor_is_visible
    assert terminal.exit_code() == 0


def test_ctrl_c_gives_the_terminal_back_and_says_what_goes_on(lab, open_terminal):
    waiting(lab)
    terminal = open_terminal()
    terminal.type(FOLLOW)
    terminal.shows("waiting")
    assert not terminal.cursor_is_visible
    terminal.press("C-c")
    terminal.until(lambda screen: screen.endswith("$"))
    screen = terminal.everything()
    assert "omnictl: the rotation goes on; attach again: omnictl cluster -n demo secret rotate status" in screen, screen
    assert "^C" not in screen and screen.count(VIEW) == 1, screen
    assert screen.index(VIEW) < screen.index("the rotation goes on"), screen
    assert terminal.cursor_is_visible
    assert terminal.exit_code() == 130
    assert lab.status().state == lab.stubs.management.ROTATION_STATE_RUNNING


def test_a_stop_and_fg_leave_the_shell_alone_and_go_on(lab, open_terminal):
    waiting(lab)
    terminal = open_terminal()
    terminal.type(FOLLOW)
    terminal.shows("waiting")
    terminal.press("C-z")
    terminal.shows("Stopped")
    assert terminal.cursor_is_visible
    terminal.type("echo 'still' 'mine'")
    terminal.shows("still mine")
    # In the background it does not draw over what its user does.
    terminal.type("bg")
    time.sleep(2.5)
    terminal.type("echo 'nothing' 'drawn'")
    screen = terminal.shows("nothing drawn")
    assert VIEW not in screen[screen.index("still mine"):], screen
    terminal.type("fg")
    terminal.until(lambda screen: VIEW in screen[screen.rindex("nothing drawn"):])
    assert not terminal.cursor_is_visible
    terminal.press("C-c")
    terminal.shows("the rotation goes on")
    assert terminal.cursor_is_visible


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1"}, {}], ids=["dumb", "plain", "colour"])
def test_a_terminal_gets_what_it_can_show(lab, open_terminal, environment):
    waiting(lab)
    terminal = open_terminal()
    words = " ".join(f"{name}={value}" for name, value in environment.items())
    terminal.type(f"{words} {FOLLOW}")
    terminal.shows("waiting")
    raw = terminal.screen("-e")
    if "TERM" in environment:
        assert terminal.cursor_is_visible and VIEW not in raw and "machine demo-controlplane-1" in raw, raw
    else:
        assert VIEW in terminal.screen() and ("\x1b[33m" in raw) == (not environment), raw


def test_without_a_terminal_nothing_is_cut(lab):
    worker = waiting(lab)
    process = lab.omnictl_process("cluster", "-n", lab.name, "secret", "rotate", "status")
    try:
        lines = []
        while not any(worker in line and "waiting" in line for line in lines):
            line = process.stdout.readline()
            assert line, lines
            lines.append(line)
        assert "…" not in "".join(lines) and "\x1b" not in "".join(lines)
    finally:
        process.terminate()
        process.wait(10)


def test_without_a_terminal_a_line_says_each_half_minute_what_is_waited_for(lab):
    worker = waiting(lab)
    process = lab.omnictl_process("cluster", "-n", lab.name, "secret", "rotate", "status")
    try:
        begun = time.monotonic()
        while time.monotonic() - begun < 60:
            line = process.stdout.readline()
            assert line
            if line.startswith("still "):
                break
        assert line.startswith("still rotation phase PRE_ROTATE 4/5 after "), line
        assert worker in line and " for 3" in line, line
        assert 25 < time.monotonic() - begun < 45
    finally:
        process.terminate()
        process.wait(10)
