"""Many rows at once, made by SQL beside the API."""


def identifier(engine, number, end="000000000000"):
    """An id in SQL, made of a number in SQL."""
    if engine == "sqlite":
        return f"printf('%08d-0000-7000-8000-{end}', {number})"
    return f"(lpad(({number})::text, 8, '0') || '-0000-7000-8000-{end}')::uuid"


def fill(store, table, count, **columns):
    """So many rows of SQL expressions, which may use `i`, from 0 up."""
    store.execute("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)"
                  f" INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM n", count)
