#!/usr/bin/env bash
# Runs the clients against `copilot-proxy demo`; installs them first if necessary.
# Usage: run.sh [first|all|more]   first: OpenAI chat by the official SDKs; all (the default): every client;
#                                  more: further agents, which take 2.4 GB.
# The binary is COPILOT_PROXY_BIN, else target/release/copilot-proxy, else target/debug/copilot-proxy.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/copilot-proxy/clients
# Requests to 127.0.0.1 must not use the machine's proxy.
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost
export PYTHONDONTWRITEBYTECODE=1
failed=0

pytest_in() { # ENVIRONMENT ARGUMENTS...
	local environment=$1
	shift
	(cd "$here" && "$cache/$environment/bin/python" -m pytest --quiet "$@") || failed=1
}

node_tests() {
	(cd "$here/node" && "$cache/bin/node" --test --test-timeout=120000 "$@") || failed=1
}

case ${1:-all} in
	first)
		"$here/setup.sh" sdks node
		pytest_in sdks python/test_openai_chat.py python/test_specs_openai.py
		node_tests openai-chat.test.mjs
		;;
	all)
		"$here/setup.sh"
		pytest_in sdks
		pytest_in google python/test_gemini.py
		pytest_in litellm python/test_litellm.py
		pytest_in libraries python/test_libraries.py python/test_mcp_2.py
		pytest_in mcp python/test_mcp_1.py
		node_tests
		;;
	more)
		"$here/setup.sh" sdks node agents adk more-agents more-python
		pytest_in adk python/test_adk.py
		pytest_in sdks more-agents
		;;
	*)
		sed -n '2,5s/^# //p' "$0" >&2
		exit 2
		;;
esac
exit $failed
