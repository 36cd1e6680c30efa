"""The demo without requests."""

import time

import httpx

from demo import Demo


def test_demo_keeps_running_without_requests():
    grace = 0.2
    with Demo("--grace", str(int(grace * 1000))) as demo:
        time.sleep(5 * grace)  # Its editor is there all the time, so its leaving cannot be waited for.

        assert httpx.get(f"{demo.url}/health").json()["status"] == "ok"
