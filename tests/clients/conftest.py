"""What every test may ask for: the running demo, one for the whole run as for a person's day, and a fresh place for an
agent. COPILOT_PROXY_URL names a server that runs already, to take the tests marked `turn` in place of the demo.

Some libraries have an environment of their own; in the others their tests are not collected.
"""

import os
from importlib.util import find_spec

import pytest
from agent import Place
from demo import Demo, Elsewhere

# A proxy that the machine uses for the outside must not come between a client and 127.0.0.1.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
# LiteLLM would fetch the prices of models when it is imported, and wait where it can't.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

ELSEWHERE = {"python/test_litellm.py": "litellm", "python/test_libraries.py": "instructor"}
collect_ignore = [file for file, library in ELSEWHERE.items() if not find_spec(library)]


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
