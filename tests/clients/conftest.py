"""Fixtures of all tests: the running demo, one for the whole run, and a new home and project for an
agent. COPILOT_PROXY_URL names a running server, which then gets the tests marked `turn` instead of the demo.

Some libraries have a separate environment; other environments don't collect their tests.
"""

import os
from importlib.util import find_spec

import pytest
from agent import Place
from demo import Demo, Elsewhere

# Requests to 127.0.0.1 must not use the machine's proxy.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
# Without this LiteLLM downloads the prices of models when it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

ELSEWHERE = {
    "python/test_adk.py": "google.adk",
    "python/test_gemini.py": "langchain_google_genai",
    "python/test_libraries.py": "instructor",
    "python/test_litellm.py": "litellm",
    "python/test_mcp_1.py": "mcp",
    "python/test_mcp_2.py": "mcp",
}


def is_installed(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:  # The package around it is missing, too.
        return False


collect_ignore = [file for file, library in ELSEWHERE.items() if not is_installed(library)]


@pytest.fixture(scope="session")
def demo():
    if url := os.environ.get("COPILOT_PROXY_URL"):
        yield Elsewhere(url)
        return
    with Demo() as running:
        yield running
        print(running.log())


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)
