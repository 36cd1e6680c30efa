"""aider (chat completions, no tools): it applies the response's edit blocks and commits the change."""

import pytest
from agent import CACHE

ANSWER = "say:Here it is.\\n\\nhello.txt\\n```\\nhello from aider\\n```\\n"
QUIET = [
    "--yes-always",
    "--no-check-update",
    "--analytics-disable",
    "--no-show-model-warnings",
    "--no-show-release-notes",
    "--no-pretty",
]


@pytest.mark.turn
def test_edits_and_commits_in_one_turn(demo, place):
    # The prices of models, so that it doesn't download them.
    place.write("home/.aider/caches/model_prices_and_context_window.json", '{"none": {}}')
    model = ["--model", "openai/scripted-1", "--weak-model", "openai/scripted-1", "--edit-format", "whole"]
    place.run(
        [CACHE / "aider" / "bin" / "aider", *model, *QUIET, "--message", ANSWER, "hello.txt"],
        OPENAI_API_BASE=f"{demo.url}/v1",
        OPENAI_API_KEY="unused",
        GIT_AUTHOR_NAME="A",
        GIT_COMMITTER_NAME="A",
        GIT_AUTHOR_EMAIL="a@example.org",
        GIT_COMMITTER_EMAIL="a@example.org",
    )

    assert place.read("hello.txt") == "hello from aider\n"
    assert place.run(["git", "status", "--porcelain", "hello.txt"]) == ""
    # Its weak model writes the commit message.
    assert place.run(["git", "log", "-1", "--format=%s"]).startswith("Lorem ipsum")
