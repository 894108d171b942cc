"""One line for each check: ok, FAILED and why, or skipped and why."""

import contextlib
import sys

failures = 0


@contextlib.contextmanager
def check(name):
    """Says that what was done within it went well, or what went wrong. What goes
    wrong in one check does not keep the next from being made."""
    global failures
    try:
        yield
    except Exception as e:
        failures += 1
        why = str(e) if isinstance(e, AssertionError) else f"{type(e).__name__}: {e}"
        print(f"FAILED  {name}: {' '.join(why.split())[:500]}")
    else:
        print(f"ok      {name}")


def skip(name, why):
    print(f"skipped {name}: {why}")


def same(got, want, of):
    """Fails unless both are the same, and says where lists part."""
    if got == want:
        return
    if isinstance(got, list) and isinstance(want, list):
        assert len(got) == len(want), f"{of}: {len(got)}, want {len(want)}"
        at = next(i for i, pair in enumerate(zip(got, want)) if pair[0] != pair[1])
        assert False, f"{of}: the one at {at} is {got[at]!r}, want {want[at]!r}"
    assert False, f"{of}: {got!r}, want {want!r}"


def leave():
    """Ends the program: with 1 when a check failed."""
    sys.exit(1 if failures else 0)
