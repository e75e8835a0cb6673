#!/usr/bin/env bash
# Drives the release binaries from outside, with other people's clients. Arguments go to pytest:
#
#   Tests/EndToEnd/run.sh                     everything
#   Tests/EndToEnd/run.sh --kills 100 -k kill a hundred times kill -9
#
# OMNID_BIN_DIR says where the binaries are (default .build/release, built when they are missing).
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=.build/venv
if [ ! -e "$venv/done" ] || [ Tests/requirements.txt -nt "$venv/done" ]; then
  echo "making $venv from Tests/requirements.txt" >&2
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r Tests/requirements.txt
  touch "$venv/done"
fi
bin=${OMNID_BIN_DIR:-.build/release}
for program in omnid omnictl talosim rotate-and-wait; do
  [ -x "$bin/$program" ] || swift build -c release --disable-local-rpath --product "$program"
done
export OMNID_BIN_DIR="$bin"
exec "$venv/bin/python" -m pytest -q -x Tests/EndToEnd "$@"
