"""The result as a page: facts that hold on any machine."""

OUTCOMES = {
    "answered": "answered in full, every byte as expected",
    "refused": "refused with the expected error in its dialect",
    "cancelled": "cancelled by its client",
    "failed": "failed with an error in its dialect, because its window or the server was killed",
    "cut": "cut off or not accepted, because the server was killed",
    "wrong": "wrong",
}


def report(soak):
    accounts, lines = soak.accounts, []
    total = accounts.sum()
    minutes = soak.seconds / 60
    lines += [
        "# Soak test",
        "",
        "The last result of `make soak`; `tests/soak/README.md` says what it does and checks.",
        "",
        f"**{'Passed' if accounts.violation_count == 0 else f'FAILED: {accounts.violation_count} violations'}**: "
        f"{minutes:.0f} minutes, {total.total():,} requests in {len(accounts.kinds)} kinds, "
        f"{', '.join(f'{count} times {kind}' for kind, count in soak.kills.items())}.",
        "",
        "| requests | outcome |",
        "| ---: | --- |",
        *(f"| {total[outcome]:,} | {text} |" for outcome, text in OUTCOMES.items()),
        f"| {accounts.violation_count:,} | violations of any check |",
        "",
        f"- usage.db has {accounts.row_count:,} rows: each request that ran a model has one, with its dialect and outcome; "
        f"{accounts.lost_rows} rows of requests that ended within half a second of a kill of the server are missing, and "
        f"{accounts.unread} of clients that left before the server had read their request.",
        f"- /metrics counted the same as usage.db, to the unit, at {accounts.metrics_checks} checks between rounds of load.",
        "- At each of these checks no request was in flight and no model was running.",
    ]
    for name, samples, margin in [
        ("The last server", soak.servers[-1] if soak.servers else [], "24"),
        ("The window that was never closed", soak.window, "48"),
    ]:
        if len(samples) > 2:
            base, last = samples[1], samples[-1]
            lines.append(
                f"- {name}: {base[0] / 1024:.0f} MiB and {base[1]} descriptors after the warm-up, "
                f"{last[0] / 1024:.0f} MiB and {last[1]} descriptors at the end "
                f"({len(samples)} checks; allowed: {margin} MiB and 2 descriptors more)."
            )
    if len(soak.heap) > 2:
        lines.append(
            f"- The objects of that window: {soak.heap[1] / 2**20:.1f} MiB after the warm-up, {soak.heap[-1] / 2**20:.1f} MiB "
            "at the end, each after a collection (allowed: 8 MiB more)."
        )
    if soak.recoveries:
        lines.append("- After each kill of the server the windows had another one, with all windows attached.")
    lines.append("- After the last window closed, the server ended by itself and removed its files.")
    if accounts.violations:
        lines += ["", "## Violations", "", *(f"- {text}" for text in accounts.violations)]
    lines += ["", "## Requests by kind", "", "| kind | " + " | ".join(OUTCOMES) + " |", "| --- |" + " ---: |" * len(OUTCOMES)]
    for kind, counts in sorted(accounts.kinds.items()):
        lines.append(f"| {kind} | " + " | ".join(str(counts[outcome] or "") for outcome in OUTCOMES) + " |")
    return "\n".join(lines) + "\n"
