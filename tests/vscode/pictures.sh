#!/bin/sh
# Makes the pictures of the documentation, docs/images/*, from the packaged extension in a real VS Code.
#   ./pictures.sh [VSIX]    default: $COPILOT_PROXY_VSIX, else the newest in dist/
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/copilot-proxy
encoders=$cache/pictures

vsix=${1:-${COPILOT_PROXY_VSIX:-$(ls -t "$here"/../../dist/*.vsix 2> /dev/null | head -n 1)}}
COPILOT_PROXY_VSIX=$(realpath "$vsix")
export COPILOT_PROXY_VSIX
"$here/setup.sh"

GIFENC=1.0.3
PNGJS=7.0.0
if [ ! -e "$encoders/ready-$GIFENC-$PNGJS" ]; then
  rm -rf "$encoders"
  mkdir -p "$encoders"
  npm install --prefix "$encoders" --ignore-scripts --no-audit --no-fund --loglevel=error \
    "gifenc@$GIFENC" "pngjs@$PNGJS" > /dev/null
  touch "$encoders/ready-$GIFENC-$PNGJS"
fi
cd "$here"
exec "$cache/vscode/node" pictures.mjs
