"""Garbage collection of processes that run for long."""

import gc


def keep_all_objects() -> None:
    """Leave the objects that exist out of collections, and collect less often.

    Otherwise each collection would walk all modules, many times per second: a tenth of the time of a busy process.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
