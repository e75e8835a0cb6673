"""A Debian that runs systemd as its first process, in namespaces of its own: what is installed there is started,
upgraded and purged as on a machine. Needs root."""

import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What a machine has before the package comes; the package's own dependencies, and what docs/operate.md takes for
# granted, are fetched beforehand, because the container has no network but its loopback.
PACKAGES = ["systemd", "init-system-helpers", "libnghttp2-14", "libssl3", "libsqlite3-0", "libyaml-0-2",
            "libcurl4", "libmimalloc2.0", "zlib1g", "libstdc++6", "procps", "sqlite3"]

BOOT = r"""
set -e
mount --make-rprivate /
mount --bind "$ROOT" "$ROOT"
mount -t proc proc "$ROOT/proc"
mount -t sysfs -o ro sysfs "$ROOT/sys"
mount -t tmpfs -o mode=755 tmpfs "$ROOT/run"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount -t tmpfs -o mode=755 tmpfs "$ROOT/dev"
for device in null zero full random urandom tty; do
  touch "$ROOT/dev/$device"
  mount --bind "/dev/$device" "$ROOT/dev/$device"
done
mkdir "$ROOT/dev/shm" "$ROOT/dev/pts" "$ROOT/dev/mqueue" "$ROOT/old"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$ROOT/dev/pts"
mount -t mqueue mqueue "$ROOT/dev/mqueue"
ln -s pts/ptmx "$ROOT/dev/ptmx"
mount -t cgroup2 cgroup2 "$ROOT/sys/fs/cgroup"
ip link set lo up
# Not chroot: below one the kernel makes no user namespaces, which PrivateUsers= needs.
cd "$ROOT"
pivot_root . old
umount -l /old
rmdir /old
# As on a machine, where systemd does it itself: what it mounts for a service's credentials reaches the service.
mount --make-rshared /
exec env -i container=omnid-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system --show-status=no
"""


def make_tree():
    """A small Debian 12 in an archive, which is fetched once for these packages."""
    of = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:8]
    archive = pathlib.Path(os.environ.get("OMNID_DEBIAN_TREE", ROOT / f".build/deb/debian12-{of}.tar"))
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    fresh = archive.with_name("fresh-" + archive.name)
    subprocess.run(["mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(PACKAGES)}", "bookworm", fresh],
                   check=True, timeout=600)
    fresh.rename(archive)
    return archive


class Container:
    def __init__(self, archive, directory):
        self.root = directory / "root"
        self.root.mkdir()
        subprocess.run(["tar", "-xf", archive, "-C", self.root, "--exclude=./dev/*"], check=True, timeout=120)
        (self.root / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
        self.log = open(directory / "console", "wb")
        self.cgroup = self.own_cgroup()
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--fork", "--kill-child",
             "bash", "-c", BOOT],
            env={**os.environ, "ROOT": str(self.root)}, stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=subprocess.STDOUT, preexec_fn=self.enter_cgroup)
        self.first = self.wait_for(self.first_process, 10)
        self.wait_for(lambda: self.run("systemctl", "is-system-running", check=False).stdout.strip()
                      in ("running", "degraded"), 60)

    def own_cgroup(self):
        """A group below the root of the unified hierarchy, which becomes the container's root."""
        mount = pathlib.Path("/sys/fs/cgroup")
        if not (mount / "cgroup.procs").exists():
            self.mount = self.root.parent / "cgroup"
            self.mount.mkdir()
            subprocess.run(["mount", "-t", "cgroup2", "cgroup2", self.mount], check=True)
            mount = self.mount
        else:
            self.mount = None
        group = mount / f"omnid-test-{os.getpid()}"
        group.mkdir()
        return group

    def enter_cgroup(self):
        (self.cgroup / "cgroup.procs").write_text("0")

    def first_process(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def wait_for(self, condition, seconds):
        end = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, "systemd has ended: " + self.console()
            found = condition()
            if found:
                return found
            assert time.monotonic() < end, f"never came true: {condition}\n{self.console()}"
            time.sleep(0.1)

    def console(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")[-4000:]

    def run(self, *command, check=True, seconds=120, **options):
        """A command in the container."""
        result = subprocess.run(
            ["nsenter", "--target", str(self.first), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
             "--root", "--wd", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive",
             "LC_ALL=C.UTF-8", *map(str, command)],
            capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, **options)
        assert not check or result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
        return result

    def put(self, file, name):
        """Lays a file into the container."""
        shutil.copy(file, self.root / name.lstrip("/"))

    def close(self):
        if self.process.poll() is None:
            os.kill(self.first, signal.SIGRTMIN + 4)  # systemd powers off: systemd(1)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self.log.close()
        for folder, _, _ in os.walk(self.cgroup, topdown=False):
            os.rmdir(folder)
        if self.mount:
            subprocess.run(["umount", self.mount], check=True)
