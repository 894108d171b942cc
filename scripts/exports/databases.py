"""SQLite files by Python's sqlite3: the rows of the CSV, the types, and the same
answers to the questions. Usage: databases.py DIR"""

import pathlib
import sqlite3
import sys

import exported
import questions
from verdict import check, leave, same

# What typeof() says of a column, by its type; of any also null.
STORED = {"int": "integer", "bool": "integer", "float": "real"}


def opened(path):
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def sound(db):
    same(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)], "PRAGMA integrity_check")


def value(stored, kind, micros):
    if stored is None:
        return None
    if kind == "bool":
        assert stored in (0, 1), f"{stored!r} for a bool"
        return bool(stored)
    return exported.moment(stored) if kind == "time" and not micros else stored


def typed(db, table, micros=False):
    """Fails unless each column is declared, and holds values, as its type wants."""
    told = db.execute('SELECT name, type FROM columns WHERE "table" = ?', (table.what,)).fetchall()
    same(told, list(table.columns.items()), "the table of columns")
    for name, kind in table.columns.items():
        want = "integer" if micros and kind == "time" else STORED.get(kind, "text")
        found = {t for (t,) in db.execute(f'SELECT DISTINCT typeof("{name}") FROM {table.what}')}
        assert found <= {want, "null"}, f"{name}, of type {kind}, is {found}"


def rows(db, table, micros=False):
    cursor = db.execute(f"SELECT * FROM {table.what} ORDER BY rowid")
    same([d[0] for d in cursor.description], list(table.columns), "columns")
    kinds = list(table.columns.values())
    return [[value(v, kind, micros) for v, kind in zip(row, kinds)] for row in cursor]


def all_in_one(folder):
    """A connection that sees the table of every file by its name."""
    db = sqlite3.connect("file::memory:", uri=True)
    for what in exported.KINDS:
        db.execute(f"ATTACH 'file:{folder / what}.sqlite?mode=ro' AS {what}_file")
    return db


def main(dir):
    tables = exported.every(dir / "out")
    for what, table in tables.items():
        with check(f"sqlite {what}: sound, typed, the rows of the csv"):
            db = opened(dir / "out" / f"{what}.sqlite")
            sound(db)
            typed(db, table)
            same(rows(db, table), table.rows, "rows")
        with check(f"sqlite {what}: the same with times in microseconds"):
            db = opened(dir / "micros" / f"{what}.sqlite")
            typed(db, table, True)
            same(rows(db, table, True), table.rows, "rows")
    db = all_in_one(dir / "out")
    for question in questions.QUESTIONS:
        with check(f"sqlite: {question.name}"):
            want = sorted(question.answer(tables), key=repr)
            same(sorted(map(list, db.execute(question.sql)), key=repr), want, "rows")


main(pathlib.Path(sys.argv[1]).resolve())
leave()
