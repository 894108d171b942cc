"""Two processes fill one store side by side, and one of them is killed: what both
handed over before is there. Usage: sides.py DIR"""

import pathlib
import signal
import subprocess
import sys
import time

import exported
from verdict import check, leave, same

NETWORK = ["--network", "private:sides", "--listen", "127.0.0.1:0"]
PATIENCE = 60  # seconds, for what takes a moment


class Lab:
    """The program, a store, and what was started, which is ended with it."""

    def __init__(self, dir):
        self.program, self.dir, self.store, self.running = dir / "lightdht", dir / "sides", dir / "sides" / "store", []
        self.dir.mkdir()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.running:
            process.kill()
            process.wait()

    def start(self, *args):
        log = open(self.dir / f"stderr-{len(self.running)}", "wb")
        process = subprocess.Popen([self.program, *args], stdout=subprocess.PIPE, stderr=log, text=True)
        self.running.append(process)
        return process

    def run(self, *args):
        done = subprocess.run([self.program, *args], timeout=PATIENCE, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(map(str, args))}: {done.stderr}"
        return done.stderr

    def member(self, bootstrap):
        """A node that looks around all the time and keeps all it sees."""
        return self.start(
            "node", "--store", self.store, *NETWORK, "--bootstrap", bootstrap,
            "--self-lookup", "1s", "--keep-sightings", "--status", "0",
        )  # fmt: skip

    def dump(self, what):
        path = self.dir / f"{what}.csv"
        self.run("dump", "--store", self.store, "--what", what, "-o", path)
        return exported.by_name(exported.read(path))

    def until(self, enough):
        """Asks again and again, at last with what there is then."""
        end = time.monotonic() + PATIENCE
        while not enough() and time.monotonic() < end:
            pass
        return enough()


def rows_by_run(lab):
    """The rows that are in the store, by their runs: texts that can be compared."""
    found = {}
    for what in "sightings", "visits":
        for row in lab.dump(what) if lab.store.joinpath("store.json").exists() else []:
            found.setdefault(row["run"], set()).add(repr((what, row)))
    return found


def side_by_side(lab):
    network = lab.start("testnet", "--nodes", "60", "--seed", "7")
    bootstrap = network.stdout.readline().strip()
    members = [lab.member(bootstrap), lab.member(bootstrap)]

    def both():
        sizes = [len(rows) for rows in rows_by_run(lab).values()]
        return len(sizes) == 2 and min(sizes) > 100

    with check("sides: two processes hand over to one store"):
        assert lab.until(both), "they do not, after all this time"
    before = rows_by_run(lab)
    members[0].kill()
    members[0].wait()
    with check("sides: the other goes on when one is killed"):
        rows = lambda: rows_by_run(lab)
        assert lab.until(lambda: max(len(now) - len(before.get(run, ())) for run, now in rows().items()) > 50), "it does not"
    members[1].send_signal(signal.SIGINT)
    with check("sides: the other ends as it should"):
        same(members[1].wait(PATIENCE), 0, "exit status")
    return before, bootstrap


def kept(lab, before, bootstrap):
    with check("sides: what both had handed over is in the store"):
        after = rows_by_run(lab)
        same(sorted(after), sorted(before), "runs")
        for run, rows in before.items():
            missing = rows - after[run]
            assert not missing, f"run {run}: {len(missing)} of {len(rows)} rows are gone, such as {min(missing)}"
    with check("sides: contacts are of both runs"):
        contacts = lab.dump("contacts")
        assert any(c["runs"] == 2 for c in contacts), f"none of {len(contacts)} was seen by both"
    with check("sides: whoever writes next finds the run that was killed, and says so"):
        lab.run("ping", "--store", lab.store, *NETWORK, bootstrap)
        lab.dump("contacts")
        states = [run["state"] for run in exported.manifest(lab.dir / "contacts.csv")["runs"]]
        same(sorted(states), ["crashed", "ended", "ended"], "states")
        same({run: rows_by_run(lab)[run] for run in after}, after, "rows")


def stored(lab):
    """Compacting loses nothing, and what verify looks at is whole."""
    before = rows_by_run(lab)
    with check("sides: store compact keeps all rows"):
        lab.run("store", "compact", lab.store)
        same(rows_by_run(lab), before, "rows")
    with check("sides: store verify is content"):
        lab.run("store", "verify", lab.store)


with Lab(pathlib.Path(sys.argv[1]).resolve()) as lab:
    before, bootstrap = side_by_side(lab)
    kept(lab, before, bootstrap)
    stored(lab)
leave()
