"""Whether a path lies on a file system of the network, where SQLite's locks and shared memory do not work.

https://www.sqlite.org/wal.html: "all processes using a database must be on the same host computer"
"""

from pathlib import Path

_MOUNTS = Path("/proc/mounts")  # Linux; elsewhere nothing is known, and nothing refused

# Names from the kernel's and the vendors' file systems; 9p and virtiofs are folders that a virtual machine shares.
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "beegfs", "ceph", "glusterfs", "gpfs", "afs",
     "coda", "orangefs", "pvfs2", "ocfs2", "gfs2", "9p", "virtiofs"}
)  # fmt: skip
_LOCAL_FUSE = frozenset({"fuse.fuse-overlayfs", "fuse.lxcfs"})  # containers without root have the first as their root


def network_file_system(path: Path, mounts: str | None = None) -> str | None:
    """The type of the file system that `path` lies on where it is one of the network (`nfs4`), else None.

    `mounts` is the text of /proc/mounts; of several mounts over each other the last one counts.
    """
    if mounts is None:
        try:
            mounts = _MOUNTS.read_text()
        except OSError:
            return None
    found, depth = "", -1
    place = path.resolve()
    for line in mounts.splitlines():
        _, point, kind, *_ = line.split(" ")
        mount = Path(point.encode().decode("unicode_escape"))  # a space is \040
        if (place == mount or mount in place.parents) and len(mount.parts) >= depth:
            found, depth = kind, len(mount.parts)
    is_remote = found in _NETWORK or (found.startswith("fuse.") and found not in _LOCAL_FUSE)
    return found if is_remote else None
