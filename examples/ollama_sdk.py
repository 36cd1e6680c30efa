#!/usr/bin/env python3
"""The official Ollama SDK on the models of your VS Code. Install it with: pip install ollama

Programs that only know Ollama need no change: OLLAMA_HOST=http://127.0.0.1:8080 leads them here.

Usage: ollama_sdk.py [QUESTION]
"""

import os
import sys

from ollama import Client

endpoint = os.environ.get("VSCODE_LLM_ENDPOINT", "http://127.0.0.1:8080/v1/chat/completions")
question = " ".join(sys.argv[1:]) or "Say hello in one sentence."

# The server needs no key unless you have made some in VS Code; then the SDK sends what OLLAMA_API_KEY holds.
client = Client(host=endpoint.removesuffix("/v1/chat/completions"))

for part in client.chat("gpt-4o", messages=[{"role": "user", "content": question}], stream=True):
    print(part.message.content, end="", flush=True)
print()
