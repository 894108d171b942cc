"""Holds what the notebooks keep to what running them gives, or keeps that.

kept.py compare NOTEBOOKS EXECUTED    texts must be the same, pictures as good as
kept.py keep NOTEBOOKS EXECUTED       the notebooks take over what came out
"""
import base64, io, json, pathlib, re, sys
import matplotlib.image
import numpy

MOST_CELLS = 10
# What a page must not tell of the machine that it was made on.
OF_A_MACHINE = re.compile(r"/(home|root|tmp|usr|var|work)/|[A-Z]:\\\\|Traceback|Warning|\b0x[0-9a-f]{8,}\b")


def check(holds, what):
    print(f"{'ok     ' if holds else 'FAILED '} {what}")
    return bool(holds)


def read(path):
    return json.loads(path.read_text())


def text(value):
    return value if isinstance(value, str) else "".join(value)


def outputs(cell):
    """Yields kind and content of what came out of a cell, in order."""
    for out in cell.get("outputs", []):
        if "text" in out:
            yield out["name"], text(out["text"])
        elif out["output_type"] == "error":
            yield "error", text(out["evalue"])
        for kind, content in out.get("data", {}).items():
            yield kind, text(content)


def pixels(png):
    return matplotlib.image.imread(io.BytesIO(base64.b64decode(png)), format="png")


def alike(kept, ran):
    """Whether two outputs are the same, pictures but for shades that nobody sees."""
    if kept[0] != ran[0]:
        return False
    if kept[0] != "image/png" or kept[1] == ran[1]:
        return kept[1] == ran[1]
    a, b = pixels(kept[1]), pixels(ran[1])
    return a.shape == b.shape and numpy.abs(a - b).mean() < 0.002


def compare(notebooks, executed):
    fine = True
    for path in sorted(notebooks.glob("*.ipynb")):
        name, cells = path.name, read(path)["cells"]
        kinds = [cell["cell_type"] for cell in cells]
        kept = [list(outputs(cell)) for cell in cells]
        fine &= check(len(cells) <= MOST_CELLS and kinds[0] == "markdown", f"{name} begins with words and has at most {MOST_CELLS} cells")
        fine &= check("?" in text(cells[0]["source"]).split("\n\n")[1], f"{name} begins with a question")
        fine &= check(any(kind == "image/png" for out in kept for kind, _ in out), f"{name} keeps a figure")
        fine &= check(not any(kind == "stderr" or kind == "error" for out in kept for kind, _ in out), f"{name} keeps no error")
        told = [found.group() for out in kept for kind, content in out if kind != "image/png" for found in [OF_A_MACHINE.search(content)] if found]
        fine &= check(not told, f"{name} tells nothing of the machine that it ran on {' '.join(told)}".rstrip())
        ran = executed / name
        if not ran.exists():
            fine &= check(False, f"{name} keeps what running gives: it did not run")
            continue
        again = [list(outputs(cell)) for cell in read(ran)["cells"]]
        other = [i + 1 for i, (a, b) in enumerate(zip(kept, again)) if len(a) != len(b) or not all(map(alike, a, b))]
        fine &= check(not other and len(kept) == len(again), f"{name} keeps what running gives" + (f": not in cell {other}" if other else ""))
    return fine


def keep(notebooks, executed):
    for path in sorted(notebooks.glob("*.ipynb")):
        ran = executed / path.name
        if not ran.exists():
            continue
        page = read(ran)
        for i, cell in enumerate(page["cells"]):
            cell["metadata"], cell["id"] = {}, f"cell-{i + 1}"
        page["metadata"] = {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        path.write_text(json.dumps(page, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    return True


if __name__ == "__main__":
    do = {"compare": compare, "keep": keep}[sys.argv[1]]
    sys.exit(not do(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])))
