"""An S3 server: moto's, which speaks the whole protocol over HTTP or TLS and checks signatures."""

import os
import sys
from urllib.parse import quote

import boto3
import requests
from botocore.config import Config

from tests.engines.certificates import Certificate
from tests.engines.commands import tail, wait_until
from tests.engines.run import Run, current
from tests.servers.ports import free_port

FIRST = 4  # requests that it takes from anybody: those that make the account


class Buckets:
    """`with Buckets() as buckets`: `url`, `access_key`, `secret_key`; `bucket` is there. Over TLS with a certificate."""

    bucket = "quay"

    def __init__(self, run: Run | None = None, certificate: Certificate | None = None) -> None:
        self.run = run or current()
        self.port = free_port()
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self._material = certificate.write(self.run.folder / f"s3-{self.port}") if certificate else None
        self.access_key = self.secret_key = ""

    def __enter__(self) -> "Buckets":
        log = self.run.folder / f"s3-{self.port}.log"
        environment = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(FIRST)}
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        if self._material:
            command += ["-c", str(self._material / "cert.pem"), "-k", str(self._material / "key.pem")]
        self._process = self.run.spawn(*command, log=log, env=environment)
        wait_until(self._answers, "the S3 server", 30, explain=lambda: tail(log, 20))
        iam = self._client("iam", "nobody", "nothing")
        iam.create_user(UserName="dermaga")
        policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
        iam.put_user_policy(UserName="dermaga", PolicyName="all", PolicyDocument=policy)
        key = iam.create_access_key(UserName="dermaga")["AccessKey"]
        self.access_key, self.secret_key = key["AccessKeyId"], key["SecretAccessKey"]
        self.client = self._client("s3", self.access_key, self.secret_key)
        self.client.create_bucket(Bucket=self.bucket)
        return self

    def _client(self, service: str, access_key: str, secret_key: str) -> "boto3.client":
        return boto3.client(
            service,
            endpoint_url=self.url,
            verify=self._ca,
            region_name="us-east-1",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(proxies={}, retries={"max_attempts": 1}),
        )

    @property
    def _ca(self) -> str | None:
        return str(self._material / "ca.pem") if self._material else None

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/moto-api/{quote('data.json')}", timeout=2, verify=self._ca).ok
        except requests.RequestException:
            return False

    def keys(self) -> list[str]:
        """Names of the objects."""
        return [found["Key"] for found in self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def uploads(self) -> list[str]:
        """Names of what was begun in parts and neither ended nor given up."""
        return [found["Key"] for found in self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])]

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
