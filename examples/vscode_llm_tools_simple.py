#!/usr/bin/env python3
"""Gives the model a tool of this program's own: the model asks for it, we run it, the model goes on.

This is "pass-through": the server hands tool calls to its client and runs nothing itself.
Needs nothing but Python.

Usage: vscode_llm_tools_simple.py [QUESTION]
"""

import json
import os
import shutil
import sys
import urllib.request

ENDPOINT = os.environ.get("VSCODE_LLM_ENDPOINT", "http://127.0.0.1:8080/v1/chat/completions")


def disk_space(path: str) -> str:
    space = shutil.disk_usage(path)
    return f"{space.free / 1e9:.1f} GB of {space.total / 1e9:.1f} GB are free"


FUNCTIONS = {"disk_space": disk_space}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "disk_space",
            "description": "The free space of the disk that a path is on",
            "parameters": {
                "type": "object",
                "properties": {"path": {"type": "string", "description": "a file or folder, such as ."}},
                "required": ["path"],
            },
        },
    }
]


def ask(messages: list[dict]) -> dict:
    body = {"model": "gpt-4o", "messages": messages, "tools": TOOLS}
    request = urllib.request.Request(ENDPOINT, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)["choices"][0]["message"]


def run(call: dict) -> str:
    name, arguments = call["function"]["name"], json.loads(call["function"]["arguments"])
    print(f"-> {name}({arguments})", file=sys.stderr)
    try:
        return FUNCTIONS[name](**arguments)
    except Exception as error:  # The model may ask for nonsense; it is told and can mend it.
        return f"{type(error).__name__}: {error}"


question = " ".join(sys.argv[1:]) or "How much space is free on my disk?"
messages = [{"role": "user", "content": question}]
answer = ask(messages)
while calls := answer.get("tool_calls"):
    results = [{"role": "tool", "tool_call_id": call["id"], "content": run(call)} for call in calls]
    messages += [answer, *results]
    answer = ask(messages)

print(answer["content"])
