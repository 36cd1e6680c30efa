#!/usr/bin/env python3
"""Mixed load through the shipped extension for half an hour, with random kills: every request is accounted for, and memory
and descriptors stay flat. `make soak` builds what it needs and runs it; README.md says what is checked."""

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import loads
from accounts import Accounts
from connection import Connection, Cut, Wrong
from processes import Home, Vain, Window, descriptors, is_alive, memory, until
from report import report

#: Windows; the first one is never killed, so that its memory can be watched to the end.
WINDOWS = 3
#: Programs that send one request after the other.
CLIENTS = 24
#: Seconds of load between two checks of the accounts.
ROUND = 20
#: Rounds whose memory is no baseline: caches and the allocator's pools fill in them.
WARM_UP = 2
#: The server may hold so much more at the end than after the warm-up, a window likewise. In KiB.
SERVER_MARGIN = 24 * 1024
WINDOW_MARGIN = 48 * 1024
#: The window's objects may take so much more, after a collection. In bytes.
HEAP_MARGIN = 8 * 1024 * 1024
#: Descriptors that a process may hold more.
DESCRIPTOR_MARGIN = 2
#: The server ends by itself 15 s after the last window. In seconds, with room for a busy machine.
ENDS_WITHIN = 25


class Soak:
    def __init__(self, server, seconds):
        self.home, self.seconds = Home(server), seconds
        self.accounts = Accounts(self.home.database)
        self.windows = [Window(self.home) for _ in range(WINDOWS)]
        self.number = 0
        self.kills = {"server killed": 0, "window killed": 0, "window reloaded": 0}
        self.recoveries = []
        #: Of each server and of the first window: its memory and descriptors at each check.
        self.servers, self.window, self.heap = [], [], []
        self.pid = None

    async def run(self):
        for window in self.windows:
            await window.open()
        await self.up()
        self.began = time.monotonic()
        number = 0
        while time.monotonic() - self.began < self.seconds:
            # In the second half no server is killed, so that one lives long enough to be watched.
            passed = (time.monotonic() - self.began) / self.seconds
            await self.round(kill_server=passed < 0.5 and number % 2 == 1)
            number += 1
        await self.end()

    async def health(self):
        try:
            connection = await Connection.open(self.home.port)
            await connection.send("GET", "/health", {})
            health = await (await connection.response()).json()
            connection.close()
            return health
        except (Cut, Wrong):
            return None

    async def up(self):
        """Waits until one server serves all windows."""

        async def serves():
            health = await self.health()
            return health and health["editors"] == WINDOWS and health["models_available"] == 2

        await until(serves, "one server with all windows")
        pid = self.home.server
        if pid != self.pid:
            self.pid = pid
            self.servers.append([])

    async def round(self, kill_server):
        stop = time.monotonic() + ROUND
        clients = [asyncio.create_task(self.client(stop)) for _ in range(CLIENTS)]
        await self.faults(stop, kill_server)
        await asyncio.gather(*clients)
        await self.check()

    async def client(self, stop):
        kept = None
        while time.monotonic() < stop:
            self.number += 1
            request = loads.Request(self.number, started=time.time())
            kept = await loads.run(self.home.port, request, kept)
            request.ended = time.time()
            self.accounts.enter(request)
            if kept and random.random() < 0.3:
                kept.close()
                kept = None
            if request.outcome == "cut":
                await asyncio.sleep(0.05)
        if kept:
            kept.close()

    async def faults(self, stop, kill_server):
        """Kills and reloads windows until the round is over, and the server once."""
        while (left := stop - time.monotonic()) > 6:
            await asyncio.sleep(random.uniform(2, 5))
            if kill_server and (left < ROUND / 2 or random.random() < 0.4):
                kill_server = False
                await self.kill_server()
                continue
            if self.home.server != self.pid:
                self.accounts.violation("the server has ended by itself")
            kind = random.choice(["window killed", "window reloaded"])
            self.kills[kind] += 1
            window = random.choice(self.windows[1:])
            fault = self.accounts.fault(kind)
            await (window.kill() if kind == "window killed" else window.close())
            await window.open()
            await self.up()
            fault.over()

    async def kill_server(self):
        asked = time.monotonic()
        await self.health()
        fault = self.accounts.fault("server killed", lag=2 * (time.monotonic() - asked))
        self.kills["server killed"] += 1
        pid, killed = self.pid, time.monotonic()
        os.kill(pid, signal.SIGKILL)

        async def is_dead():
            return not is_alive(pid)

        await until(is_dead, "the killed server to end")
        self.accounts.begin_life()
        await self.up()
        self.recoveries.append(time.monotonic() - killed)
        fault.over()

    async def check(self):
        """All clients are silent: nothing may be left of them."""
        await self.up()
        metrics = await until(self.idle_metrics, "no request in flight")
        await until(self.no_model_runs, "the models to have stopped")
        rows = []

        async def all_written():
            nonlocal rows
            rows = self.accounts.read_rows()
            return not self.accounts.missing(rows)

        try:
            await until(all_written, "the rows", 5)
        except Vain:
            pass  # `settle` says which are missing
        self.accounts.settle(rows)
        self.accounts.compare(metrics)
        heaps = [(await window.order("heap"))["heap"] for window in self.windows]
        self.heap.append(heaps[0])
        await asyncio.sleep(2)  # the server gives memory back when it has been quiet
        self.servers[-1].append((memory(self.pid), descriptors(self.pid)))
        self.window.append((memory(self.windows[0].pid), descriptors(self.windows[0].pid)))
        sums = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.accounts.sum().items()))
        kills = ", ".join(f"{count} {kind}" for kind, count in self.kills.items())
        print(
            f"{time.monotonic() - self.began:.0f} s: {sums}; {kills}; server {self.servers[-1][-1]}, window {self.window[-1]}, heap {self.heap[-1]}",
            flush=True,
        )

    async def idle_metrics(self):
        connection = await Connection.open(self.home.port)
        await connection.send("GET", "/metrics", {})
        text = (await (await connection.response()).body()).decode()
        connection.close()
        # The question itself is none of them.
        return "copilot_proxy_requests_in_flight 0\n" in text and text

    async def no_model_runs(self):
        counts = [await window.order("counts") for window in self.windows]
        return all(count["active"] == 0 for count in counts)

    async def end(self):
        """The last window takes the server with it, and nothing stays."""
        for name, samples, margin in [
            ("server", self.servers[-1], SERVER_MARGIN),
            ("window", self.window, WINDOW_MARGIN),
        ]:
            if len(samples) <= WARM_UP:
                continue
            (base, base_descriptors), (last, last_descriptors) = samples[WARM_UP - 1], samples[-1]
            if last > base + margin:
                self.accounts.violation(f"the {name} holds {last} KiB, {base} after the warm-up")
            if last_descriptors > base_descriptors + DESCRIPTOR_MARGIN:
                self.accounts.violation(f"the {name} holds {last_descriptors} descriptors, {base_descriptors} after the warm-up")
        if len(self.heap) > WARM_UP and self.heap[-1] > self.heap[WARM_UP - 1] + HEAP_MARGIN:
            self.accounts.violation(f"the window's heap grew from {self.heap[WARM_UP - 1]} to {self.heap[-1]} bytes")
        for window in self.windows:
            await window.close()

        async def is_gone():
            return not is_alive(self.pid)

        try:
            await until(is_gone, "the server to end after the last window", ENDS_WITHIN)
            if self.home.server:
                self.accounts.violation("server.json is left behind")
        except Vain as vain:
            self.accounts.violation(str(vain))

    def clean_up(self):
        for window in self.windows:
            if window.process and window.process.returncode is None:
                window.process.kill()
        if (pid := self.home.server) and is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.home.path, ignore_errors=True)


async def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--server", type=Path, required=True, help="the program of the server")
    options.add_argument("--seconds", type=float, default=1800)
    options.add_argument("--report", type=Path, help="where the result is written to")
    options.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = options.parse_args()
    print(f"seed {options.seed}", flush=True)
    random.seed(options.seed)
    soak = Soak(options.server.resolve(), options.seconds)
    try:
        await soak.run()
    except Vain as vain:
        soak.accounts.violation(str(vain))
    finally:
        soak.clean_up()
    text = report(soak)
    print(text)
    if options.report:
        options.report.write_text(text)
    return 1 if soak.accounts.violation_count else 0


sys.exit(asyncio.run(main()))
