#!/usr/bin/env python3
"""LangChain on the models of your VS Code: an agent with a tool. Install with: pip install langchain langchain-openai

Usage: langchain_agent.py [QUESTION]
"""

import os
import sys

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

endpoint = os.environ.get("VSCODE_LLM_ENDPOINT", "http://127.0.0.1:8080/v1/chat/completions")
question = " ".join(sys.argv[1:]) or "How many letters are in 'Donaudampfschiffahrt'?"


@tool
def count_letters(word: str) -> int:
    """The number of letters of a word."""
    return len(word)


# LangChain wants a key; the server needs none unless you have made some in VS Code.
model = ChatOpenAI(
    model="gpt-4o",
    base_url=endpoint.removesuffix("/chat/completions"),
    api_key=os.environ.get("OPENAI_API_KEY", "unused"),
)
agent = create_agent(model, [count_letters])
result = agent.invoke({"messages": [{"role": "user", "content": question}]})
print(result["messages"][-1].text)
