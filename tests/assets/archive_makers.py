"""Makes small packages as npm and Debian publish them."""

import io
import tarfile


def tar_of(members, kind, prefix=""):
    """A tar of files by path, compressed as ``kind`` says."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{kind}") as tar:
        folder = tarfile.TarInfo(f"{prefix}a-folder")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, content in members.items():
            entry = tarfile.TarInfo(f"{prefix}{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def deb_of(members, kind="xz", data=None):
    """A Debian package; its control file is of odd length, and padded."""
    packed = tar_of(members, kind, "./") if data is None else data
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": b"odd",
        f"data.tar.{kind}": packed,
    }
    deb = b"!<arch>\n"
    for name, content in parts.items():
        header = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n"
        deb += header.encode() + content + b"\n" * (len(content) % 2)
    return deb
