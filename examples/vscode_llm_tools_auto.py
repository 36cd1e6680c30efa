#!/usr/bin/env python3
"""Lets the model use the tools of your VS Code; the server runs them, you get the answer.

Which tools may run is decided in VS Code (the setting copilotProxy.autoTools), and those that want
a confirmation ask for it there. Needs nothing but Python.

Usage: vscode_llm_tools_auto.py [QUESTION]
"""

import json
import os
import sys
import urllib.request

ENDPOINT = os.environ.get("VSCODE_LLM_ENDPOINT", "http://127.0.0.1:8080/v1/chat/completions")

question = " ".join(sys.argv[1:]) or "Which files are open in my editor?"
body = {
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": question}],
    "use_vscode_tools": True,  # offer the model all of the editor's tools
    "tool_execution": "auto",  # run what it calls, and ask again with the results
    "max_tool_rounds": 5,  # at most so often; 0 means without limit
    "stream": True,
}
request = urllib.request.Request(ENDPOINT, json.dumps(body).encode(), {"Content-Type": "application/json"})
with urllib.request.urlopen(request) as response:
    for line in response:
        data = line.removeprefix(b"data:").strip()
        if not line.startswith(b"data:") or data == b"[DONE]":
            continue
        event = json.loads(data)
        if "error" in event:
            sys.exit(event["error"]["message"])
        for choice in event["choices"]:
            print(choice["delta"].get("content") or "", end="", flush=True)
            if choice["finish_reason"] == "length":
                print("\n(the rounds were used up)", file=sys.stderr)
print()
