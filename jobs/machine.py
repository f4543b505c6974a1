"""What a machine refuses: room, rights, open files, memory. It is no defect of ours; it is told with what mends it."""

import errno

from seedbed.errors import RUN_AGAIN

_ROOM = f"free some room where that is, in the state directory and in the folder for temporary files, then {RUN_AGAIN}"
_RIGHTS = f"give this user the right to it, or take another --state, then {RUN_AGAIN}"
_CURES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: _RIGHTS,
    errno.EMFILE: f"allow more open files (`ulimit -n`), then {RUN_AGAIN}",
    errno.ENFILE: f"allow more open files, then {RUN_AGAIN}",
    errno.ENOMEM: f"free some memory, or take fewer cluster.data_workers, then {RUN_AGAIN}",
}


def refused(error: BaseException) -> str | None:
    """What to tell of `error` where the machine refused something, None where it did not."""
    cure = _CURES.get(error.errno or 0) if isinstance(error, OSError) else None
    return f"{error}; {cure}" if cure else None
