"""A real S3 server (moto) on a free port, with a bucket to fill."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3  # type: ignore[import-untyped]
import httpx
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

KEYS = {"access_key_id": "AKIATEST", "secret_access_key": "not-a-secret"}


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server; every bucket lives until the server stops."""

    url: str

    def client(self, service: str = "s3") -> Any:
        """Return a client of the server itself, to put things there."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=KEYS["access_key_id"],
            aws_secret_access_key=KEYS["secret_access_key"],
        )

    def bucket(self, name: str) -> Folder:
        """Return a new bucket."""
        self.client().create_bucket(Bucket=name)
        return Folder(self, name)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Let the server check signatures and policies for a while, as Amazon's does."""
        httpx.post(f"{self.url}/moto-api/reset-auth", content=b"0").raise_for_status()
        try:
            yield
        finally:
            httpx.post(f"{self.url}/moto-api/reset-auth", content=b"inf").raise_for_status()


@dataclass(frozen=True, slots=True)
class Folder:
    """A bucket to put objects into."""

    server: S3Server
    name: str

    def put(self, objects: dict[str, str | bytes], tags: str = "") -> None:
        """Write objects; `tags` as in a query string."""
        client = self.server.client()
        for key, body in objects.items():
            content = body.encode() if isinstance(body, str) else body
            client.put_object(Bucket=self.name, Key=key, Body=content, Tagging=tags)

    def fill(self, n_objects: int) -> None:
        """Put many small objects into the server, without asking it for each."""
        inside = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        for n in range(n_objects):
            inside.put_object(self.name, f"{n:05}.txt", b"")

    def tag(self, key: str, tags: dict[str, str]) -> None:
        """Replace an object's tags."""
        listed = [{"Key": name, "Value": value} for name, value in tags.items()]
        self.server.client().put_object_tagging(
            Bucket=self.name, Key=key, Tagging={"TagSet": listed}
        )

    def delete(self, *keys: str) -> None:
        """Delete objects."""
        for key in keys:
            self.server.client().delete_object(Bucket=self.name, Key=key)


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Run a server on a free port of this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3Server(f"http://{host}:{port}")
    finally:
        server.stop()
