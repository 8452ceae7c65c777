"""A volume with everything in it, and what is said of one."""

import hashlib
import io
import tarfile
from typing import Any

import zstandard

from tests.engines.ways import AnyEngine
from tests.servers.jobs import ended
from tests.servers.product import Product
from tests.waiting import until

MAKE = r"""
cd /v; mkdir -p a/b empty 'odd name'; echo one > a/one; echo two > 'odd name/zwei ü'; ln a/one a/b/again; ln a/one aa
ln -s ../a/one empty/link; ln -s /nowhere dangling; chmod 1777 empty; mkfifo pipe; : > nothing
head -c 1500000 /dev/urandom > large; touch -d '2001-02-03 04:05:06' a/one; chown 1234:4321 a/one; chmod 4750 a/one
chown 7:8 .; chmod 2750 .
"""
TELL = r"""
cd /v; find . | sort | while read -r f; do
stat -c '%n %F %a %u %g %s %h' "$f" | sed 's/directory \(.*\) [0-9]* [0-9]*$/directory \1/'; done
find . -type f | sort | while read -r f; do md5sum "$f"; done; readlink empty/link; readlink dangling; stat -c %Y a/one
"""


def fill(engine: AnyEngine, volume: str, script: str = MAKE) -> str:
    """Makes the volume."""
    engine.docker("volume", "create", "--label", "team=web", volume)
    engine.docker("run", "--rm", "-v", f"{volume}:/v", "busybox", "sh", "-c", script)
    return volume


def tell(engine: AnyEngine, volume: str) -> str:
    """All that its files are."""
    return engine.docker("run", "--rm", "-v", f"{volume}:/v", "busybox", "sh", "-c", TELL)


def known(product: Product, volume: str, host: str = "local") -> None:
    until(lambda: product.api(f"volumes?host={host}&search={volume}")["count"], "the product knows the volume")


def helpers(engine: AnyEngine) -> list[str]:
    return engine.docker("ps", "-aq", "--filter", "label=org.dermaga.helper").split()


def done(product: Product, path: str, **body: Any) -> dict[str, Any]:
    """Starts a job by REST, and gives its result."""
    job = ended(product, product.api(path, "POST", **body)["job"])
    assert job["state"] == "done", job
    return dict(job["result"])


def job_of(answer: Any) -> int:
    """The number of the job whose page a form led to."""
    return int(answer.url.rstrip("/").rpartition("/")[2])


def names(packed: bytes) -> dict[str, tarfile.TarInfo]:
    """What is in a tar.zst, by any program's tar."""
    tar = zstandard.ZstdDecompressor().decompressobj().decompress(packed)
    return {member.name: member for member in tarfile.open(fileobj=io.BytesIO(tar))}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def packed_of(**files: str) -> bytes:
    """A tar.zst of other files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content.encode()))
    return zstandard.ZstdCompressor().compress(made.getvalue())
