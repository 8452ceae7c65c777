"""Images that are put into a registry by its own API, without an engine."""

import hashlib
import json
from typing import Any

from tests.engines.registry import Registry

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _blob(registry: Registry, name: str, data: bytes) -> str:
    scope = f"repository:{name}:pull,push"
    place = registry.ask("POST", f"/v2/{name}/blobs/uploads/", scope=scope).headers["Location"]
    params = {"digest": digest_of(data)}
    answer = registry.ask("PUT", place, scope=scope, params=params, data=data)
    assert answer.status_code == 201, answer.text
    return digest_of(data)


def _manifest(registry: Registry, name: str, reference: str, manifest: dict[str, Any]) -> str:
    body = json.dumps(manifest).encode()
    headers = {"Content-Type": manifest["mediaType"]}
    scope = f"repository:{name}:pull,push"
    answer = registry.ask("PUT", f"/v2/{name}/manifests/{reference}", scope=scope, data=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return digest_of(body)


def put_image(
    registry: Registry, name: str, tag: str = "", *, arch: str = "amd64", size: int = 3000, oci: bool = False
) -> tuple[str, int]:
    """Stores an image of one layer of `size` bytes; its digest and the size of its manifest."""
    config = json.dumps({"os": "linux", "architecture": arch, "created": "2026-01-02T03:04:05.123456789Z"}).encode()
    layer = hashlib.sha256(f"{name}{tag}{arch}{size}".encode()).digest() * (size // 32) + b"x" * (size % 32)
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST if oci else MANIFEST,
        "config": {
            "mediaType": OCI_CONFIG if oci else "application/vnd.docker.container.image.v1+json",
            "size": len(config),
            "digest": _blob(registry, name, config),
        },
        "layers": [
            {
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "size": size,
                "digest": _blob(registry, name, layer),
            }
        ],
    }
    digest = digest_of(json.dumps(manifest).encode())
    return _manifest(registry, name, tag or digest, manifest), len(json.dumps(manifest).encode())


def put_index(registry: Registry, name: str, tag: str, sizes: dict[str, int]) -> str:
    """Stores an index with an image for each architecture in `sizes`, and an attestation as builders add one."""
    entries: list[dict[str, Any]] = []
    for arch, size in {**sizes, "unknown": 40}.items():
        digest, length = put_image(registry, name, arch=arch, size=size, oci=True)
        platform = {"os": "linux" if arch != "unknown" else "unknown", "architecture": arch}
        if arch == "arm":
            platform["variant"] = "v7"
        entries.append({"mediaType": OCI_MANIFEST, "size": length, "digest": digest, "platform": platform})
    return _manifest(registry, name, tag, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})
