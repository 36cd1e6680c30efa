#!/usr/bin/env python3
"""The official Anthropic SDK on the models of your VS Code. Install it with: pip install anthropic

Usage: anthropic_sdk.py [QUESTION]
"""

import os
import sys

from anthropic import Anthropic

endpoint = os.environ.get("VSCODE_LLM_ENDPOINT", "http://127.0.0.1:8080/v1/chat/completions")
question = " ".join(sys.argv[1:]) or "Say hello in one sentence."

# The SDK wants a key; the server needs none unless you have made some in VS Code.
client = Anthropic(base_url=endpoint.removesuffix("/v1/chat/completions"), api_key=os.environ.get("ANTHROPIC_API_KEY", "unused"))

with client.messages.stream(
    model="claude-sonnet-4", max_tokens=4096, messages=[{"role": "user", "content": question}]
) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
print()
