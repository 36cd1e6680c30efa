#!/bin/sh
# Runs the tests of this folder in a real VS Code: sets it up if need be, then the scripted provider's own tests, the
# harness's, and those of the packaged extension.
#   ./run.sh [VSIX]      the extension to test; default: $COPILOT_PROXY_VSIX, else the newest in dist/
#   ./run.sh --harness   only the tests that need no extension
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/setup.sh"
node=${XDG_CACHE_HOME:-$HOME/.cache}/copilot-proxy/vscode/node
cd "$here"

# One file at a time: each brings up a VS Code and a browser of its own.
if [ "${1:-}" = --harness ]; then
  exec "$node" --test --test-concurrency=1 provider/*.test.js harness.test.mjs
fi

vsix=${1:-${COPILOT_PROXY_VSIX:-$(ls -t "$here"/../../dist/*.vsix 2> /dev/null | head -n 1)}}
if [ ! -f "$vsix" ]; then
  echo "tests/vscode: no extension to test${vsix:+: $vsix}; 'make package' leaves one in dist/" >&2
  exit 1
fi
COPILOT_PROXY_VSIX=$(realpath "$vsix")
export COPILOT_PROXY_VSIX
exec "$node" --test --test-concurrency=1 provider/*.test.js ./*.test.mjs
