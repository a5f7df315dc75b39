"""Values that SQLite would compute while it is asked: nothing of that kind is read from a database of others.

A column that is GENERATED ALWAYS AS an expression, a view, and a CHECK may each hold an expression that takes hours in
one step. SQLite looks at a time limit only between two steps. (The pipeline's own tables have two such columns, which
nobody here asks for.) https://www.sqlite.org/gencol.html
"""

import re
import sqlite3

from blueplane_doctor.text.patterns import pattern

_COMPUTED_COLUMN = 2
_OF_COLUMNS = (
    "FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS c "
    f"WHERE m.type = 'table' AND m.sql LIKE '%AS%(%)%' AND c.hidden = {_COMPUTED_COLUMN}"
)
_SQL = f"SELECT m.name, c.name {_OF_COLUMNS} UNION ALL SELECT name, '' FROM sqlite_master WHERE type = 'view'"
_LONG = pattern(r"\b(?:instr|replace|[lr]?trim|like|glob|match|regexp)\b", re.IGNORECASE)
"""What takes more time than a value has bytes: with two values of megabytes, hours."""


def refuse_computed(connection: sqlite3.Connection) -> None:
    """From now on a question that reads a computed value is an error of SQLite. Raises sqlite3.Error."""
    connection.execute("PRAGMA ignore_check_constraints = 1")  # else a look for damage would compute them
    columns = set()
    views = set()
    for table, column in connection.execute(_SQL):
        if column:
            columns.add((table, column))
        else:
            views.add(table)
    if not columns and not views:
        return

    def is_allowed(action: int, table: str | None, column: str | None, _: str | None, view: str | None) -> int:
        """`view`: the one, or the subquery, in which the column is read."""
        if action != sqlite3.SQLITE_READ:
            return sqlite3.SQLITE_OK
        if (table, column) in columns or table in views or view in views:
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    connection.set_authorizer(is_allowed)


def may_be_checked(connection: sqlite3.Connection) -> bool:
    """Whether a look for damage ends in time: it computes every column. Raises sqlite3.Error."""
    texts = connection.execute(f"SELECT DISTINCT m.sql {_OF_COLUMNS}").fetchall()
    return not any(_LONG.search(sql) for (sql,) in texts)
