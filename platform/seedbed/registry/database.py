"""The registry's database: SQLite in the state directory, or Postgres by URL. Who writes when, and what errors mean."""

import contextlib
import json
import math
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa

from seedbed.errors import RegistryError, RegistryUnreachable, UsageError
from seedbed.registry.network_mounts import network_file_system
from seedbed.state import StateDirectory

if TYPE_CHECKING:
    from seedbed.registry.registry import Registry

FILE = "registry.db"
PATIENCE_S = 30.0
"""How long one waits for its turn to write, and how long a transaction may stand idle before Postgres ends it."""

_CONNECT_PATIENCE_S = 10
_WRITERS = 0x5EEDBED
"""Key of the advisory lock that writers to one Postgres database take turns by."""

_EXPECTED = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"
_SECRET_PARAMETERS = ("password", "sslpassword")
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def open_registry(url: str | None, state: StateDirectory) -> "Registry":
    """The registry at `url`, or the one of the state directory; made or brought up to date where that is needed.

    Raises UsageError where the URL is none; RegistryError where the schema is newer than this code, the file lies on a
    network file system, or the database belongs to another program; RegistryUnreachable where it does not answer.
    """
    from seedbed.registry.migrate import bring_up_to_date
    from seedbed.registry.registry import Registry

    if url is None:
        _close_to_others(state.folder(".") / FILE)
    database = Database(url or f"sqlite:///{state.folder('.') / FILE}")
    bring_up_to_date(database)
    return Registry(database)


class Database:
    """Connections, and transactions that either read or write. Safe for threads; not to be taken through a fork."""

    def __init__(self, url: str) -> None:
        parsed = _parsed(url)
        self.name = _without_secrets(parsed)
        """The URL as it may be shown."""
        self._secrets = _secrets(parsed)
        """What no message may contain."""
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            _check_place(parsed.database or "")
        self.engine = sa.create_engine(
            parsed.difference_update_query(_SECRET_PARAMETERS),  # SQLAlchemy shows what stands there
            pool_pre_ping=not self.is_sqlite,  # a Postgres that was started anew is no error
            connect_args=_connect_args(parsed),
            json_serializer=_json,
        )
        sa.event.listen(self.engine, "connect", _set_up_sqlite if self.is_sqlite else _set_up_postgres)
        sa.event.listen(self.engine, "begin", _begin_sqlite if self.is_sqlite else _begin_postgres)
        self._writing = self.engine.execution_options(seedbed_writes=True)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that reads. Raises RegistryUnreachable and RegistryError for what the database raises."""
        with self._explained(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that writes, alone: committed at the end, undone by any exception. Raises as `read` does."""
        with self._explained(), self._writing.begin() as connection:
            yield connection

    def keep_a_log(self) -> None:
        """SQLite's write-ahead log: readers and the writer do not wait for each other. It is kept in the file."""
        if self.is_sqlite:
            with self._explained(), self.engine.connect() as connection:
                raw = connection.connection.dbapi_connection
                assert raw is not None
                _switch_to_wal(raw)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
            text = self._said(error.orig)
            code = getattr(error.orig, "sqlite_errorcode", None)
            if code is None:
                raise RegistryUnreachable(
                    f"the registry {self.name} does not answer: {text}; look after the database, or name another "
                    "with --registry"
                ) from error
            if code & 0xFF in _BUSY:
                raise RegistryUnreachable(
                    f"the registry {self.name} was busy for {PATIENCE_S:.0f} s: {text}; another process holds it open "
                    "in the middle of a change"
                ) from error
            raise RegistryError(f"the registry {self.name} cannot be used: {text}; look after the file") from error
        except sa.exc.TimeoutError as error:
            raise RegistryUnreachable(
                f"the registry {self.name}: all connections of this process are in use"
            ) from error
        except sa.exc.DBAPIError as error:
            raise RegistryError(f"the registry {self.name} refused: {self._said(error.orig)}") from error

    def _said(self, error: BaseException | None) -> str:
        text = " ".join(str(error).split())
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def absolute_url(url: str) -> str:
    """The URL, with the same meaning in another working directory. It may hold a password. Raises UsageError."""
    parsed = _parsed(url)
    return parsed.render_as_string(hide_password=False) if parsed.get_backend_name() == "sqlite" else url


def _parsed(url: str) -> sa.URL:
    # What cannot be read is not shown: a password may stand anywhere in it.
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except (sa.exc.ArgumentError, ValueError) as error:
        raise UsageError(f"--registry is not the URL of a database; expected {_EXPECTED}") from error
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
            raise UsageError(f"--registry {_without_secrets(parsed)} names no file; expected {_EXPECTED}")
        return parsed.set(drivername="sqlite", database=str(Path(parsed.database).absolute()))
    if backend not in ("postgresql", "postgres"):
        raise UsageError(f"--registry is a database of the kind {backend!r}; expected {_EXPECTED}")
    try:
        import psycopg
    except ImportError as error:
        raise UsageError(
            f"Postgres needs psycopg, and it cannot be imported ({error}): pip install 'seedbed[postgres]'"
        ) from error
    assert psycopg
    return parsed.set(drivername="postgresql+psycopg")


def _without_secrets(url: sa.URL) -> str:
    shown = {key: "***" if key in _SECRET_PARAMETERS else value for key, value in url.query.items()}
    return url.set(query=shown).render_as_string(hide_password=True)


def _secrets(url: sa.URL) -> list[str]:
    found = [str(url.password)] if url.password else []
    found += [str(url.query[key]) for key in _SECRET_PARAMETERS if key in url.query]
    return [*found, *(quote(secret, safe="") for secret in found)]


def _check_place(path: str) -> None:
    folder = Path(path).parent
    kind = network_file_system(folder)
    if kind is not None:
        raise RegistryError(
            f"the registry {path} would lie on a network file system ({kind}), where SQLite loses data: take a local "
            "--state, or a Postgres with --registry postgresql://USER@HOST/DATABASE"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RegistryError(
            f"cannot make {folder} for the registry: {error.strerror}; take another --registry"
        ) from error
    with contextlib.suppress(OSError):  # it is there, as its owner wants it; or SQLite says what is wrong
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))  # SQLite gives its log the same mode


def _close_to_others(path: Path) -> None:
    """The registry of a state directory is its owner's: one that an older Seedbed has made is closed too."""
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with contextlib.suppress(OSError):  # not there, or another's: then it is his to close
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)


def _connect_args(url: sa.URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"timeout": PATIENCE_S, "check_same_thread": False}
    # libpq's own words; what the URL says wins. A server that is cut off is given up instead of waited for.
    wanted = {
        "connect_timeout": _CONNECT_PATIENCE_S,
        "application_name": "seedbed",
        "keepalives_idle": 10,
        "tcp_user_timeout": int(PATIENCE_S * 1000),
    }
    given = {key: url.query[key] for key in _SECRET_PARAMETERS if key in url.query}
    return {key: value for key, value in wanted.items() if key not in url.query} | given


def _set_up_sqlite(raw: sqlite3.Connection, _: object) -> None:
    raw.isolation_level = None  # `_begin_sqlite` says BEGIN, which Python's module leaves out before reads and DDL
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA synchronous = FULL")  # in WAL, less may forget what was committed when the power goes


def _set_up_postgres(raw: Any, _: object) -> None:
    milliseconds = int(PATIENCE_S * 1000)
    raw.execute(f"SET lock_timeout = {milliseconds}")
    raw.execute(f"SET idle_in_transaction_session_timeout = {milliseconds}")  # a stopped process holds nobody up
    raw.commit()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that begins with a read and then writes would fail at once where another has written meanwhile.
    writes = connection.get_execution_options().get("seedbed_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgres(connection: sa.Connection) -> None:
    # One writer at a time, as in SQLite: else event 5 could become visible after event 6, and who has read up to 6
    # would never see it.
    if connection.get_execution_options().get("seedbed_writes"):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITERS)))


def _switch_to_wal(raw: Any) -> None:
    """Here SQLite does not wait for others by itself."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            [mode] = raw.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() > until:
                raise
            time.sleep(0.05)
            continue
        if mode != "wal":
            raise RegistryError(
                f"SQLite cannot keep a write-ahead log here (journal mode {mode}): take another --state"
            )
        return


def _json(value: object) -> str:
    """JSON that Postgres takes: numbers that are not finite become null."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
