#!/bin/sh
# Asks a model of your VS Code with curl: first for the whole answer, then for a stream of events.
# Usage: curl.sh [MODEL]
set -eu

endpoint=${VSCODE_LLM_ENDPOINT:-http://127.0.0.1:8080/v1/chat/completions}
model=${1:-gpt-4o}

curl --fail-with-body --silent --show-error "$endpoint" \
	--header 'Content-Type: application/json' \
	--data '{"model": "'"$model"'", "messages": [{"role": "user", "content": "Say hello in one sentence."}]}'
echo

curl --fail-with-body --silent --show-error --no-buffer "$endpoint" \
	--header 'Content-Type: application/json' \
	--data '{"model": "'"$model"'", "stream": true, "messages": [{"role": "user", "content": "Say hello in one sentence."}]}'
