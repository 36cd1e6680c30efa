#!/usr/bin/env python3
"""Asks a model of your VS Code one question and prints the answer. Needs nothing but Python.

Usage: vscode_llm_example_simple.py [QUESTION]
"""

import json
import os
import sys
import urllib.request

ENDPOINT = os.environ.get("VSCODE_LLM_ENDPOINT", "http://127.0.0.1:8080/v1/chat/completions")

question = " ".join(sys.argv[1:]) or "Say hello in one sentence."
body = {"model": "gpt-4o", "messages": [{"role": "user", "content": question}]}
request = urllib.request.Request(ENDPOINT, json.dumps(body).encode(), {"Content-Type": "application/json"})
with urllib.request.urlopen(request) as response:
    answer = json.load(response)

print(answer["choices"][0]["message"]["content"])
