#!/usr/bin/env bash
# Records the requests of coding agents to `copilot-proxy demo`, one file per session beside this file.
# Usage: record.sh [RECORDING]...   (all of them without arguments; see the list in record.py)
# The binary is COPILOT_PROXY_BIN, else target/release/copilot-proxy, else target/debug/copilot-proxy.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
"$here/../clients/setup.sh" node aider agents more-agents
export PYTHONDONTWRITEBYTECODE=1 NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost
exec "${PYTHON:-python3}" "$here/record.py" "$@"
