"""A fresh home and project for each test of an agent."""

import pytest
from agent import Place


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)
