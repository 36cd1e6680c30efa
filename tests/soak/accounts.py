"""The account of all requests: what each came to, held against the faults of its time, the usage database and `/metrics`."""

import sqlite3
import time
from collections import Counter
from contextlib import closing

#: The server collects rows for 100 ms before it writes them: those of its last moments are lost when it is killed.
LOST_ROWS = 0.5

#: The server knows so soon, in seconds, that a client has left; on a busy machine, too.
NOTICED_WITHIN = 1

#: Violations that are kept in full.
SHOWN = 25

#: Error that a request may get because its window was closed: the parts that had come can't be taken back.
GONE = "the connection to the VS Code window was lost"


class Fault:
    """A time in which requests may come to harm: `end` is when everything was up again. `lag` is the time by which a busy
    server was behind before."""

    def __init__(self, kind, lag=0.0):
        self.kind, self.lag, self.start, self.end = kind, lag, time.time(), float("inf")

    def over(self):
        self.end = time.time()

    def touches(self, request, before=0.0):
        return request.started <= self.end and request.ended >= self.start - before - self.lag


class Accounts:
    def __init__(self, database):
        self.database = database
        self.faults = []
        self.kinds = {}
        self.violations = []
        self.violation_count = 0
        self.open = []
        self.rows = Counter()
        self.row_count = 0
        #: Requests without a row, which their time excuses: the server was killed; or they were cancelled unread.
        self.lost_rows = 0
        self.unread = 0
        self.last_row = 0
        self.metrics_checks = 0
        #: Rows of the running server, as `/metrics` must have them, by dialect and outcome.
        self.life_started = 0.0
        self.life = Counter()

    def violation(self, text):
        self.violation_count += 1
        if len(self.violations) < SHOWN:
            self.violations.append(text)
            print(f"VIOLATION: {text}", flush=True)

    def fault(self, kind, lag=0.0):
        fault = Fault(kind, lag)
        self.faults.append(fault)
        return fault

    def touched_by(self, request, kinds, before=0.0):
        return any(fault.kind in kinds and fault.touches(request, before) for fault in self.faults)

    def enter(self, request):
        """Judges one request by its outcome alone; its row is judged later."""
        self.kinds.setdefault(request.kind, Counter())[request.outcome] += 1
        self.open.append(request)
        about = f"{request.kind} {request.dialect} {'stream' if request.is_stream else 'whole'} {request.session}"
        match request.outcome:
            case "answered" | "refused" | "cancelled":
                pass
            case "cut" if self.touched_by(request, {"server killed"}):
                pass
            case "failed" if self.touched_by(request, {"server killed"}):
                pass
            case "failed" if GONE in request.detail and self.touched_by(request, {"window killed", "window reloaded"}):
                pass
            case _:
                self.violation(f"{request.outcome}: {about}: {request.detail}")

    def read_rows(self):
        """The new rows of the database, as lists of (dialect, outcome) by session."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as connection:
            # A request that runs, or ran when its server was killed, has a row with its cost so far.
            query = (
                "SELECT rowid, time, session, dialect, outcome FROM requests"
                " WHERE rowid > ? AND outcome NOT IN ('running', 'interrupted') ORDER BY rowid"
            )
            rows = connection.execute(query, [self.last_row]).fetchall()
        return rows

    def missing(self, rows):
        """Requests that must have a row and have none yet."""
        sessions = {row[2] for row in rows}
        return [request for request in self.open if self.needs_row(request) and request.session not in sessions]

    def needs_row(self, request):
        if request.outcome in ("answered", "refused"):
            has = bool(request.rows)
        else:
            has = request.outcome in ("cancelled", "failed") and request.dialect != "" and not request.may_lack_row
        # The row of a client that has left is begun when the server notices.
        before = LOST_ROWS + (NOTICED_WITHIN if request.outcome == "cancelled" else 0)
        return has and not self.touched_by(request, {"server killed"}, before)

    def settle(self, rows):
        """Holds all requests since the last time against the new rows."""
        found = {}
        for number, moment, session, dialect, outcome in rows:
            self.last_row = number
            self.row_count += 1
            self.rows[outcome] += 1
            if moment / 1000 >= self.life_started:
                self.life[dialect, outcome] += 1
            found.setdefault(session, []).append((dialect, outcome))
        for request in self.open:
            self.hold(request, found.pop(request.session, []))
        for session, rows in found.items():
            self.violation(f"rows of no request: {session} {rows}")
        self.open = []

    def hold(self, request, rows):
        about = f"{request.kind} {request.session}, {request.outcome}"
        if not rows:
            if self.needs_row(request):
                self.violation(f"no row: {about}")
            elif request.outcome in ("answered", "refused") and request.rows:
                self.lost_rows += 1
            elif request.outcome == "cancelled" and request.may_lack_row:
                self.unread += 1
            return
        if len(rows) > 1:
            self.violation(f"{len(rows)} rows: {about}: {rows}")
            return
        dialect, outcome = rows[0]
        if dialect != request.dialect:
            self.violation(f"row of the dialect {dialect}: {about}")
        wanted = {"answered": request.rows, "refused": request.rows, "cancelled": {"disconnected"}}.get(request.outcome)
        # The server notices a client that has left a little later; its window may have gone meanwhile.
        is_excused = self.touched_by(request, {"server killed", "window killed", "window reloaded"}, NOTICED_WITHIN)
        if wanted is not None and outcome not in wanted and not (request.outcome == "cancelled" and is_excused):
            self.violation(f"row with the outcome {outcome}, expected {wanted}: {about}")

    def begin_life(self):
        """The old server is dead: rows from now on are the next one's."""
        self.life_started = time.time()
        self.life = Counter()

    def compare(self, metrics):
        """`/metrics` must count what the rows of this server count, to the unit."""
        counted = Counter()
        for line in metrics.splitlines():
            if line.startswith("copilot_proxy_requests_total{"):
                labels, value = line.removeprefix("copilot_proxy_requests_total{").rsplit("} ", 1)
                labels = dict(label.split("=", 1) for label in labels.split(","))
                dialect, outcome = labels["dialect"].strip('"'), labels["outcome"].strip('"')
                # Requests that are turned away before their body is read have no row.
                if dialect and outcome not in ("no_such_path", "wrong_method"):
                    counted[dialect, "disconnected" if outcome == "left" else outcome] += int(float(value))
        self.metrics_checks += 1
        if counted != self.life:
            more, fewer = counted - self.life, self.life - counted
            self.violation(f"/metrics and usage.db differ: {dict(more)} only in /metrics, {dict(fewer)} only in usage.db")

    def sum(self):
        return sum((counts for counts in self.kinds.values()), Counter())
