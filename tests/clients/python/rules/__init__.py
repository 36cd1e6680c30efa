"""The order of a stream's events in each dialect, which the schemas don't describe.

Each module has `check(events)`: it raises AssertionError if the official SDKs could fail, else it
returns the whole response that the stream adds up to, for comparison with an unstreamed one.
"""
