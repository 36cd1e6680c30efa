#!/usr/bin/env python3
"""The official OpenAI SDK on the models of your VS Code. Install it with: pip install openai

Usage: openai_sdk.py [QUESTION]
"""

import os
import sys

from openai import OpenAI

endpoint = os.environ.get("VSCODE_LLM_ENDPOINT", "http://127.0.0.1:8080/v1/chat/completions")
question = " ".join(sys.argv[1:]) or "Say hello in one sentence."

# The SDK wants a key; the server needs none unless you have made some in VS Code.
client = OpenAI(base_url=endpoint.removesuffix("/chat/completions"), api_key=os.environ.get("OPENAI_API_KEY", "unused"))

for chunk in client.chat.completions.create(
    model="gpt-4o", messages=[{"role": "user", "content": question}], stream=True
):
    for choice in chunk.choices:
        print(choice.delta.content or "", end="", flush=True)
print()
