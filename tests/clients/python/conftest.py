"""What every test may ask for: the running demo. One serves the whole run, as it would a person's day.

Tests of a client that is not installed in this environment are not collected (LiteLLM has its own).
"""

import os
from importlib.util import find_spec

import pytest

# A proxy that the machine uses for the outside must not come between a client and 127.0.0.1.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"

collect_ignore_glob = ["test_litellm*.py"] if find_spec("openai.types.responses") and not find_spec("litellm") else []
if find_spec("litellm"):
    collect_ignore_glob = ["test_[!l]*.py"]


@pytest.fixture(scope="session")
def demo():
    from demo import Demo

    with Demo() as running:
        yield running
        print(running.log())
