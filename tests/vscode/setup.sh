#!/bin/sh
# Installs the real VS Code that these tests drive: code-server from npm, the Node 24 it runs on, playwright-core, and
# Chromium from the distribution. Needs any Node with npm 10 or later to begin with. Nothing lands in the tree; a second
# run finds its stamp and does nothing.
set -eu

CODE_SERVER=4.139.1 # carries VS Code 1.139.1
PLAYWRIGHT=1.65.1
NODE=24
AXE=4.14.1

here=$(cd "$(dirname "$0")" && pwd)
home=${XDG_CACHE_HOME:-$HOME/.cache}/copilot-proxy/vscode
stamp=$home/ready-$CODE_SERVER-$PLAYWRIGHT-$NODE-$(cksum < "$here/restore-api-check.mjs" | cut -d ' ' -f 1)

say() { echo "tests/vscode/setup: $*" >&2; }

# Two test runs that start together install once: the second waits here and then finds the stamp.
mkdir -p "$home"
exec 9> "$home/lock"
flock 9

# A browser of another name or place: CHROMIUM=/path/to/chrome.
needed=${CHROMIUM:-chromium}
[ -e "$stamp" ] || needed="$needed g++ make python3"
missing=
for tool in $needed; do
  command -v "$tool" > /dev/null || missing="$missing $tool"
done
if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    say "these programs are needed and missing:$missing"
    say "on Debian or Ubuntu: sudo apt-get install -y --no-install-recommends$missing"
    exit 1
  fi
  say "installing$missing"
  apt-get update -qq
  # shellcheck disable=SC2086 # one word per package
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing > /dev/null
fi

# The judge of accessibility is apart: it changes without VS Code.
axe=$(dirname "$home")/axe
if [ ! -e "$axe/ready-$AXE" ]; then
  rm -rf "$axe"
  mkdir -p "$axe"
  npm install --prefix "$axe" --ignore-scripts --no-audit --no-fund --loglevel=error "axe-core@$AXE" > /dev/null
  touch "$axe/ready-$AXE"
fi

[ -e "$stamp" ] && exit 0

case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) say "there is no Node package for $(uname -m)"; exit 1 ;;
esac

say "installing VS Code into $home (about 800 MB, once)"
rm -rf "$home"/ready-* "$home/node_modules" "$home/package-lock.json"
cd "$home"
echo '{ "private": true }' > package.json
quietly='--ignore-scripts --no-audit --no-fund --loglevel=error'
# shellcheck disable=SC2086 # one word per option
npm install $quietly "node-linux-$arch@$NODE" "code-server@$CODE_SERVER" "playwright-core@$PLAYWRIGHT"

node_home=$home/node_modules/node-linux-$arch
ln -sfn "$node_home/bin/node" node
PATH=$node_home/bin:$PATH

# code-server's own post-install step compiles ten native modules. The tests need one of them: without spdlog nothing
# that an extension logs reaches a file or the Output panel.
cd node_modules/code-server/lib/vscode
# shellcheck disable=SC2086
npm install $quietly --omit=dev
# shellcheck disable=SC2086
(cd extensions && npm install $quietly --omit=dev)
npm_config_nodedir=$node_home npm rebuild --loglevel=error @vscode/spdlog

node "$here/restore-api-check.mjs" "$PWD/out"
touch "$stamp"
