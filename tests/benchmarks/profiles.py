"""CPU profiles of steps, by part of scimkit and by function.

The profiler takes samples, because a profiler that traces every call makes Python calls slower. Time in C code counts
for the Python function that called it. With about 300 samples a second, shares are accurate to a few percent.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from rich.console import Console
from rich.table import Table

_INTERVAL = 0.001
_TOP = 12
_LIBRARY = "scimkit"


def sampled(call: Callable[[], Any], seconds: float) -> Counter[CodeType]:
    """Return the number of samples in each function while a call is repeated for some seconds of CPU time."""
    found: Counter[CodeType] = Counter()

    def note(_: int, frame: FrameType | None) -> None:
        if frame is not None:
            found[frame.f_code] += 1

    before = signal.signal(signal.SIGPROF, note)
    end = time.process_time() + seconds
    signal.setitimer(signal.ITIMER_PROF, _INTERVAL, _INTERVAL)
    try:
        while time.process_time() < end:
            for _ in range(20):
                call()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return found


def show(console: Console, title: str, call: Callable[[], Any], seconds: float) -> None:
    """Print the profile of a call, without the functions of the benchmark."""
    call()
    found = Counter({code: count for code, count in sampled(call, seconds).items() if _part(code) is not None})
    parts: Counter[str | None] = Counter()
    for code, count in found.items():
        parts[_part(code)] += count
    shown = Table("share", "function", title=title)
    for code, count in found.most_common(_TOP):
        place = "/".join(Path(code.co_filename).parts[-2:])
        shown.add_row(f"{count / found.total():.0%}", f"{place} {code.co_qualname}")
    console.print(shown)
    shares = [f"{part} {count / found.total():.0%}" for part, count in parts.most_common()]
    console.print(f"by part, {found.total()} samples:", ", ".join(shares))


def _part(code: CodeType) -> str | None:
    """Return the package or the task of a function, or None for functions of the benchmark."""
    path = Path(code.co_filename)
    if path.name == "<string>":
        return "values"  # the constructor of a dataclass or a named tuple
    if path.stem in ("decoder", "documents"):
        return "JSON out" if code.co_name in ("write_json", "write") else "JSON in"
    if "benchmarks" in path.parts or path.stem == "encoder":
        return None
    if _LIBRARY not in path.parts:
        return "standard library"
    inside = path.parts[len(path.parts) - path.parts[::-1].index(_LIBRARY) :]
    return inside[0] if len(inside) > 1 else path.stem
