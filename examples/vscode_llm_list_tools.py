#!/usr/bin/env python3
"""Lists the tools of your VS Code: built-in, from extensions and from MCP servers. Needs nothing but Python.

Usage: vscode_llm_list_tools.py [--tags editor,vscode] [--name 'read*'] [--schema] [--json]
"""

import argparse
import json
import os
import urllib.parse
import urllib.request

ENDPOINT = os.environ.get("VSCODE_LLM_ENDPOINT", "http://127.0.0.1:8080/v1/chat/completions")
TOOLS = ENDPOINT.replace("/chat/completions", "/tools")

parser = argparse.ArgumentParser(description="List the tools of your VS Code.")
parser.add_argument("--tags", help="only tools that have all of these tags, separated by commas")
parser.add_argument("--name", help="only tools whose name matches; * and ? stand for anything")
parser.add_argument("--schema", action="store_true", help="show what each tool takes, too")
parser.add_argument("--json", action="store_true", help="print the list as JSON")
arguments = parser.parse_args()

query = {name: value for name in ("tags", "name") if (value := getattr(arguments, name))}
with urllib.request.urlopen(f"{TOOLS}?{urllib.parse.urlencode(query)}") as response:
    tools = json.load(response)["data"]

if arguments.json:
    print(json.dumps(tools, indent=2))
else:
    for tool in tools:
        tags = f"  [{', '.join(tool['tags'])}]" if tool["tags"] else ""
        print(f"{tool['name']}{tags}\n    {tool['description']}")
        if arguments.schema:
            print("    " + json.dumps(tool["inputSchema"], indent=2).replace("\n", "\n    "))
    print(f"{len(tools)} tools")
