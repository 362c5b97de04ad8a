#!/bin/sh
# Installs or upgrades the survey program from this stick, without a network. Run: sh install.sh
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 1
for python in python3.13 python3.12 python3.11 python3; do
  if "$python" -c 'import sys, venv, ensurepip; sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 13)))' 2>/dev/null
  then
    exec "$python" "$here/files/install.py" "$@"
  fi
done
cat "$here/files/no-python.txt"
exit 1
