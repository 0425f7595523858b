"""Takes pinned files out of one commit of a hub repository; their SHA-256 decides.

The package ``huggingface_hub`` gives addresses, proxies and retries. Its own downloads start anew
after a failure (since version 2); 1.7 GB are worth going on with, so the unfinished file is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from geowhy.assets.files import sha256_of
from geowhy.errors import ChecksumError, DownloadError, MissingExtraError

__all__ = ["PinnedFile", "PinnedSnapshot", "fetch_snapshot"]

OnProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """One file, down to the byte.

    Attributes:
        name: its path in the repository.
        sha256: lower-case hexadecimal.
        bytes: its length; None for a small file, which is fetched anew rather than resumed.
    """

    name: str
    sha256: str
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class PinnedSnapshot:
    """Some files of one commit of a repository on the Hugging Face hub.

    Attributes:
        repository: as in "owner/name".
        revision: the commit, 40 hexadecimal digits.
        files: what is taken of it.
    """

    repository: str
    revision: str
    files: tuple[PinnedFile, ...]

    @property
    def requirement(self) -> str:
        """As a message names it."""
        return f"{self.repository}@{self.revision[:12]}"


def fetch_snapshot(
    snapshot: PinnedSnapshot,
    destination: Path,
    source: Path | None = None,
    on_progress: OnProgress | None = None,
    *,
    endpoint: str | None = None,
) -> Path:
    """The folder that holds the checked files: ``destination`` after a download, else ``source``.

    A broken-off download stays in ``destination`` and is gone on with by the next call. The
    hub is asked without the user's token: what is pinned is public.

    Args:
        snapshot: what to fetch.
        destination: a folder of the same name at every try; made if need be.
        source: a folder with the files, downloaded before; None asks the hub.
        on_progress: is told each file.
        endpoint: address of the hub; None for the usual one, or ``$HF_ENDPOINT``.

    Raises:
        DownloadError: if the hub can't be reached, or ``source`` lacks a file.
        ChecksumError: if a file isn't the pinned one; a downloaded one is deleted.
        MissingExtraError: if a download needs huggingface_hub and there is none.
    """
    tell = on_progress or (lambda _: None)
    if source is not None:
        for file in snapshot.files:
            tell(f"checking {file.name}")
            _check_given(file, source, snapshot)
        return source
    if find_spec("huggingface_hub") is None:
        raise MissingExtraError("huggingface_hub", "clip", f"downloading {snapshot.repository}")
    for file in snapshot.files:
        tell(f"getting {file.name}")
        _download(file, snapshot, destination, endpoint)
    return destination


def _check_given(file: PinnedFile, source: Path, snapshot: PinnedSnapshot) -> None:
    path = source / file.name
    if not path.is_file():
        names = ", ".join(f.name for f in snapshot.files)
        raise DownloadError(
            f"{path}: no such file; give a folder with {names} of {snapshot.requirement}"
        )
    _check(path, file, snapshot)


def _download(
    file: PinnedFile, snapshot: PinnedSnapshot, folder: Path, endpoint: str | None
) -> None:
    whole = folder / file.name
    if whole.is_file() and sha256_of(whole) == file.sha256:
        return
    partial = whole.with_name(f"{whole.name}.part")
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        _complete(partial, file, snapshot, endpoint)
    except Exception as error:  # the hub's HTTP library, and so its errors, vary by version
        raise DownloadError(
            f"{file.name} of {snapshot.requirement} can't be downloaded: {error}\nCheck the "
            "connection and the free space and run the same command again, which goes on from "
            f"here ({folder}); or download the files elsewhere and give their folder with "
            "--from PATH"
        ) from error
    try:
        _check(partial, file, snapshot)
    except ChecksumError:
        partial.unlink()
        raise
    partial.replace(whole)


def _complete(
    partial: Path, file: PinnedFile, snapshot: PinnedSnapshot, endpoint: str | None
) -> None:
    """Appends what is missing of a file whose length is known; fetches another one anew."""
    from huggingface_hub import hf_hub_url  # of the extra clip
    from huggingface_hub.file_download import http_get

    done = partial.stat().st_size if partial.is_file() else 0
    if file.bytes is None or done > file.bytes:
        partial.unlink(missing_ok=True)
        done = 0
    if done == file.bytes:
        return
    url = hf_hub_url(snapshot.repository, file.name, revision=snapshot.revision, endpoint=endpoint)
    with partial.open("ab") as out:
        http_get(url, out, resume_size=done, expected_size=file.bytes)


def _check(path: Path, file: PinnedFile, snapshot: PinnedSnapshot) -> None:
    actual = sha256_of(path)
    if actual != file.sha256:
        raise ChecksumError(
            f"{path} is not the file {file.name} of {snapshot.requirement}: SHA-256 {actual}, "
            f"expected {file.sha256}. Nothing was installed; try again or give another copy with "
            "--from PATH"
        )
