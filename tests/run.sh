#!/usr/bin/env bash
# Runs all tests: formatters and linters, the server, the extension, the official SDKs, a real VS Code.
# Installs their dependencies (Debian packages if it is root; the rest into ~/.cache/copilot-proxy) and lists skipped
# stages with the reason at the end.
# Usage: tests/run.sh [check|server|extension|clients|vscode]...   (all of them without arguments)
set -uo pipefail

cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
failed=()
skipped=()

say() { printf '\n=== %s\n' "$*"; }

# Runs a stage and records a failure; the other stages still run.
stage() { # NAME COMMAND...
	local name=$1 began=$SECONDS
	shift
	say "$name"
	"$@" || failed+=("$name")
	echo "$name took $((SECONDS - began)) s"
}

# Installs a Debian package if PROGRAM is missing.
need() { # PROGRAM PACKAGE
	command -v "$1" >/dev/null && return
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
	else
		echo "'$1' is missing: install the package '$2'" >&2
		return 1
	fi
}

needs() { # PROGRAM:PACKAGE...
	local pair
	for pair in "$@"; do
		need "${pair%%:*}" "${pair##*:}" || return
	done
}

check() { make --no-print-directory check; }

server() {
	# This builds the binary, too, which tests/it runs.
	cargo test --locked --quiet --workspace
}

# The npm packages may be missing if the check failed early.
extension() {
	(cd vscode-host && { [ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error; } && npm test --silent) && benches
}

# A short run of each load, which checks the responses, and one round of the soak test. Both read /proc, so on Linux only.
benches() {
	[ "$(uname -s)" = Linux ] || return 0
	(cd vscode-host && node esbuild.mjs --bench --soak) && cargo build --locked --quiet --workspace &&
		target/debug/bench --smoke --server target/debug/copilot-proxy &&
		target/debug/bench --smoke --growth target/growth --server target/debug/copilot-proxy &&
		python3 tests/soak/soak.py --server target/debug/copilot-proxy --seconds 10
}

# Uses the debug build of the server's tests, while the package's build, which takes minutes, runs in the background.
clients() { cargo build --locked --quiet --workspace && COPILOT_PROXY_BIN=$PWD/target/debug/copilot-proxy tests/clients/run.sh; }

vscode() { make --no-print-directory package && tests/vscode/run.sh; }

# Installs or builds dependencies of a later stage in the background. That stage runs the same command again, waits for its
# lock, and reports failures.
ahead() { nice "$@" >/dev/null 2>&1 & }
trap 'kill $(jobs -p) 2>/dev/null' EXIT

say "dependencies"
needs cc:gcc make:make || exit 1
command -v cargo >/dev/null || { echo "Rust is missing: see https://rustup.rs" >&2; exit 1; }
needs node:nodejs npm:npm python3:python3 || exit 1

[ $# -gt 0 ] || set -- check server extension clients vscode
stages=()
for name in "$@"; do
	case $name in
		check | server | extension) stages+=("$name") ;;
		clients)
			if python3 -c 'import ensurepip' 2>/dev/null || need python3-venv python3-venv; then
				stages+=("$name")
				ahead tests/clients/setup.sh
			else
				skipped+=("clients: Python's venv is missing (package python3-venv) and this is not root")
			fi
			;;
		vscode)
			if [ "$(uname -s)" != Linux ]; then
				skipped+=("vscode: the real VS Code of these tests runs on Linux only")
			elif needs "${CHROMIUM:-chromium}:chromium" g++:g++; then
				stages+=("$name")
				ahead tests/vscode/setup.sh
				ahead cargo build --profile dist --locked
			else
				skipped+=("vscode: Chromium or g++ is missing and this is not root")
			fi
			;;
		*)
			sed -n '2,5s/^# //p' "$0" >&2
			exit 2
			;;
	esac
done

for name in "${stages[@]}"; do stage "$name" "$name"; done

say "result"
for line in "${skipped[@]}"; do echo "skipped: $line"; done
for line in "${failed[@]}"; do echo "FAILED: $line"; done
echo "$(($# - ${#failed[@]} - ${#skipped[@]})) passed, ${#failed[@]} failed, ${#skipped[@]} skipped"
[ ${#failed[@]} = 0 ]
