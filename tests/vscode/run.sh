#!/bin/sh
# Runs the tests of this folder in a real VS Code: sets it up if need be, then the scripted provider's own tests, the
# harness's, and those of the packaged extension.
#   ./run.sh [VSIX]      the extension to test; default: $COPILOT_PROXY_VSIX, else the newest in dist/
#   ./run.sh --harness   only the tests that need no extension
set -eu
here=$(cd "$(dirname "$0")" && pwd)
node=${XDG_CACHE_HOME:-$HOME/.cache}/copilot-proxy/vscode/node

# One file at a time, for each brings up a VS Code and a browser of its own. A file takes a minute or two; one that takes
# five (in milliseconds) has hung.
run() {
  cd "$here"
  exec "$node" --test --test-concurrency=1 --test-timeout=300000 provider/*.test.js "$@"
}

if [ "${1:-}" = --harness ]; then
  "$here/setup.sh"
  run harness.test.mjs
fi

vsix=${1:-${COPILOT_PROXY_VSIX:-$(ls -t "$here"/../../dist/*.vsix 2> /dev/null | head -n 1)}}
if [ ! -f "$vsix" ]; then
  echo "tests/vscode: no extension to test${vsix:+: $vsix}; 'make package' leaves one in dist/" >&2
  exit 1
fi
COPILOT_PROXY_VSIX=$(realpath "$vsix")
export COPILOT_PROXY_VSIX
"$here/setup.sh"
run ./*.test.mjs
