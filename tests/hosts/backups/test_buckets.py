"""Backups in a bucket of an S3 server: in parts, nothing left of what was not finished, and the secret seen nowhere."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines.certificates import Authority
from tests.engines.commands import run_command
from tests.engines.docker_engine import DockerEngine
from tests.engines.slow import SlowProxy
from tests.hosts.backups import cargo
from tests.servers.buckets import Buckets
from tests.servers.jobs import ended
from tests.servers.product import Product
from tests.waiting import until

UNTRUSTED = "add that CA to the destination"
LARGE = "head -c 40000000 /dev/urandom > /v/large"  # packs into three parts


@pytest.fixture(scope="module")
def buckets() -> Iterator[Buckets]:
    with Buckets() as buckets:
        yield buckets


@pytest.fixture(scope="module")
def volume(docker_engine: DockerEngine, product: Product) -> Iterator[str]:
    yield cargo.fill(docker_engine, "freight", LARGE)
    for name in docker_engine.docker("volume", "ls", "-q", "--filter", "name=freight").split():
        docker_engine.docker("volume", "rm", "-f", name)


def typed(buckets: Buckets, **other: str) -> dict[str, Any]:
    return {
        "name": "cloud",
        "kind": "s3",
        "url": buckets.url,
        "bucket": buckets.bucket,
        "prefix": "dermaga/all",
        "region": "us-east-1",
        "access_key": buckets.access_key,
        "secret_key": buckets.secret_key,
        **other,
    }


@pytest.fixture(scope="module")
def cloud(product: Product, buckets: Buckets) -> Iterator[str]:
    answer = product.post("/backups/destinations/add/", **typed(buckets))
    assert "Stored cloud." in answer.text and buckets.secret_key not in answer.text
    yield "cloud"
    for backup in product.api("backups?destination=cloud")["items"]:
        cargo.done(product, "backups/remove", backups=[backup["id"]])
    product.api("destinations/cloud", "DELETE")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"secret_key": "another-secret-key"}, "wrong does not take the keys"),
        ({"bucket": "no-such-bucket"}, "wrong has no bucket called no-such-bucket"),
        ({"url": "http://127.0.0.1:9"}, "wrong cannot be reached: nothing listens there"),
        ({"url": "http://169.254.169.254"}, "169.254.169.254"),
        ({"url": "PRODUCT"}, "What answers at wrong does not speak S3"),
    ],
)
def test_what_is_wrong_with_a_bucket_is_said(
    product: Product, buckets: Buckets, wrong: dict[str, str], said: str
) -> None:
    fields = typed(buckets, name="wrong", **{k: v.replace("PRODUCT", product.url) for k, v in wrong.items()})
    answer = product.post("/backups/destinations/add/", **fields, test="1")
    assert said in answer.text, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))[-1500:]
    assert fields["secret_key"] not in answer.text and not product.api("destinations?search=wrong")["count"]


def test_a_volume_goes_into_a_bucket_in_parts_and_comes_back(
    product: Product, docker_engine: DockerEngine, buckets: Buckets, cloud: str, volume: str
) -> None:
    assert "A file was written to cloud, read and removed." in product.post("/backups/destinations/cloud/test/").text
    assert buckets.keys() == [] and product.api("destinations/cloud/check", "POST") == {"works": True}
    cargo.known(product, volume)
    cargo.done(product, "disk/local/measure")  # a part's size comes from the volume's
    until(lambda: product.api(f"volumes/local/{volume}")["size"], "its size is known")
    made = cargo.done(product, f"volumes/local/{volume}/backup", destination=cloud)["backup"]
    told = product.api(f"backups/{made}")
    assert buckets.keys() == [f"dermaga/all/{told['key']}"]
    head = buckets.client.head_object(Bucket=buckets.bucket, Key=f"dermaga/all/{told['key']}")
    assert head["ContentLength"] == told["bytes"] and int(head["ETag"].strip('"').partition("-")[2]) >= 2
    whole = product.http.get(f"{product.url}/backups/{made}/download/").content
    assert cargo.sha256(whole) == told["sha256"]
    cargo.done(product, f"backups/{made}/restore", volume="freight-again")
    sums = ["run", "--rm", "-v", f"{volume}:/a", "-v", "freight-again:/b", "busybox", "cmp", "/a/large", "/b/large"]
    docker_engine.docker(*sums)
    moved = product.post("/backups/destinations/cloud/", **typed(buckets, prefix="elsewhere"))
    assert moved.status_code == 422 and "There are backups in it, which would not be found any more" in moved.text
    taken = product.post("/backups/destinations/cloud/", **typed(buckets, url="http://10.9.9.9", secret_key=""))
    assert "enter the secret that belongs to it" in taken.text
    refused = product.post("/backups/destinations/cloud/remove/")
    assert "1 backups are in cloud. Remove them first." in refused.text
    cargo.done(product, "backups/remove", backups=[made])
    assert buckets.keys() == []


def test_a_bucket_over_tls_has_a_ca_of_its_own(product: Product, docker_engine: DockerEngine) -> None:
    """It is trusted for that destination alone, and the environment's (the tests' machines name one) does not win."""
    authority, other = Authority("harbour office"), Authority("another office")
    cargo.fill(docker_engine, "sealed", "echo one > /v/one")
    with Buckets(certificate=authority.server("127.0.0.1")) as secure:
        fields = typed(secure, name="secure")
        try:
            for wrong in ("", other.ca):
                answer = product.post("/backups/destinations/add/", **fields, ca=wrong, test="1")
                assert UNTRUSTED in answer.text, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))[-1500:]
            answer = product.post("/backups/destinations/add/", **fields, ca="no PEM at all")
            assert answer.status_code == 422 and 'id="id_ca_error"' in answer.text
            assert not product.api("destinations?search=secure")["count"]
            answer = product.post("/backups/destinations/add/", **fields, ca=authority.ca)
            assert "Stored secure." in answer.text
            assert product.api("destinations/secure/check", "POST") == {"works": True}
            cargo.known(product, "sealed")
            made = cargo.done(product, "volumes/local/sealed/backup", destination="secure")["backup"]
            assert secure.keys() == [f"dermaga/all/{product.api(f'backups/{made}')['key']}"]
            cargo.done(product, f"backups/{made}/restore", volume="sealed-again")
            read = docker_engine.docker("run", "--rm", "-v", "sealed-again:/v", "busybox", "cat", "/v/one")
            assert read == "one\n"
            # another destination on the same server does not have it
            lone = {key: fields[key] for key in ("kind", "url", "bucket", "region", "access_key", "secret_key")}
            product.api("destinations", "POST", name="lone", prefix="lone", **lone)
            with pytest.raises(AssertionError, match=UNTRUSTED):
                product.api("destinations/lone/check", "POST")
            product.api("destinations/lone", "DELETE")
            # changed over REST to another CA, it is not trusted any more
            product.api("destinations/secure", "PATCH", ca=other.ca)
            with pytest.raises(AssertionError, match=UNTRUSTED):
                product.api("destinations/secure/check", "POST")
            product.api("destinations/secure", "PATCH", ca=authority.ca)
            cargo.done(product, "backups/remove", backups=[made])
            product.api("destinations/secure", "DELETE")
        finally:
            docker_engine.docker("volume", "rm", "-f", "sealed", "sealed-again")


def test_the_secret_is_seen_nowhere(product: Product, buckets: Buckets, cloud: str) -> None:
    seen = [
        json.dumps(product.api("destinations/cloud")),
        product.http.get(f"{product.url}/backups/destinations/").text,
        product.http.get(f"{product.url}/backups/destinations/cloud/").text,
        product.http.get(f"{product.url}/backups/destinations/?format=csv").text,
        json.dumps(product.api("jobs?limit=500")),
        product.output,
        run_command("ps", "axww"),
    ]
    assert not [text for text in seen if buckets.secret_key in text]
    stored = (product.folder / "data" / "dermaga.sqlite3").read_bytes() if not product.full else b""
    assert buckets.secret_key.encode() not in stored


def test_nothing_is_left_in_the_bucket_of_what_was_cancelled(
    product: Product, docker_engine: DockerEngine, buckets: Buckets, cloud: str, volume: str
) -> None:
    host, port = docker_engine.url.removeprefix("tcp://").split(":")
    with SlowProxy("127.0.0.1", int(port), 1_000_000_000, to=host) as proxy:
        product.api("hosts", "POST", name="afar", url=f"tcp://{proxy.address}")
        try:
            cargo.known(product, volume, "afar")
            cargo.done(product, "disk/afar/measure")
            until(lambda: product.api(f"volumes/afar/{volume}")["size"], "its size is known")
            proxy.bytes_per_second = 9_000_000
            job = product.api(f"volumes/afar/{volume}/backup", "POST", destination=cloud)["job"]
            until(buckets.uploads, "a part is there")
            product.api(f"jobs/{job}/cancel", "POST")
            assert ended(product, job)["state"] == "cancelled"
            assert buckets.uploads() == [] and buckets.keys() == [] and not product.api("backups?host=afar")["count"]
        finally:
            product.api("hosts/afar", "DELETE")
