"""The README's examples, run unchanged as a reader would run them in a second terminal.

The demo uses the README's port. If another program uses that port, only the port in the examples is replaced.
"""

import json
import os
import re
import socket
import subprocess
import sys
import textwrap

import pytest

from demo import REPOSITORY, Demo
from test_examples import CACHE

PORT = 8080
SECTION = "For developers"
FIRST_ANSWER = "60 seconds to a first answer"
PROGRAMS = {
    "sh": ("hello.sh", ["sh"]),
    "js": ("hello.mjs", [str(CACHE / "bin" / "node")]),
    "python": ("hello.py", [sys.executable]),
}


def examples(heading: str = SECTION) -> dict[str, str]:
    """A section's examples that send requests, by language."""
    readme = (REPOSITORY / "README.md").read_text()
    [section] = re.findall(rf"^## {heading}$(.*?)^## ", readme, re.DOTALL | re.MULTILINE)
    blocks = re.findall(r"^( *)```(\w+)\n(.*?)^ *```$", section, re.DOTALL | re.MULTILINE)
    sent = {language: code for _, language, code in blocks if f":{PORT}" in code}
    return {language: textwrap.dedent(code) for language, code in sent.items()}


def is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.fixture(scope="module")
def port():
    with Demo(port=PORT if is_free(PORT) else 0) as demo:
        yield demo.url.rpartition(":")[2]


@pytest.fixture
def output(port, tmp_path):
    def output(language: str, heading: str = SECTION) -> str:
        file, program = PROGRAMS[language]
        (tmp_path / file).write_text(examples(heading)[language].replace(f":{PORT}", f":{port}"))
        # A reader's environment has no variables of these tests.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "ANTHROPIC_"))}
        done = subprocess.run([*program, file], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return output


def test_readme_has_curl_node_and_python_examples():
    assert list(examples()) == ["sh", "js", "python"]


def test_first_answer_example_gets_a_response(output):
    assert list(examples(FIRST_ANSWER)) == ["sh", "powershell"]
    assert "Copilot Proxy demo" in json.loads(output("sh", FIRST_ANSWER))["choices"][0]["message"]["content"]


def test_curl_example_gets_a_response(output):
    assert json.loads(output("sh"))["choices"][0]["message"]["content"] == "Hello from curl"


def test_node_example_gets_a_response(output):
    assert output("js") == "Hello from Node\n"


def test_python_example_gets_a_response(output):
    assert output("python") == "Hello from Python\n"
