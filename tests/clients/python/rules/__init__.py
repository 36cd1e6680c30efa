"""The order of a stream's events in each dialect, which no schema says, and what the stream adds up to.

Each module has `check(events)`: AssertionError if the official SDKs could stumble, else the whole
answer that the stream was, to be compared with what the same question gets unstreamed.
"""
