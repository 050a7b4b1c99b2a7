"""AWS Signature Version 4 for S3: which headers make a request one that the holder of a secret has sent.

Pure functions of the request, the key and the time. Docs: AmazonS3/latest/API/sig-v4-header-based-auth.html.
"""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote

from msgspec import Struct

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_SHA256 = hashlib.sha256().hexdigest()


class Key(Struct, frozen=True, kw_only=True):
    access: str
    secret: str
    region: str


def encode_path(path: str) -> str:
    """As the signature wants it, once: S3, unlike other services, does not encode twice."""
    return quote(path, safe="/-_.~")


def encode_query(query: Mapping[str, str]) -> str:
    """Sorted by name, spaces as %20."""
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def sign(
    key: Key, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], sha256: str, when: str
) -> dict[str, str]:
    """The headers with those that sign the request.

    `path` is not encoded; `headers` include Host; `sha256` is the body's in hex; `when` is like 20130524T000000Z.
    """
    signed = {**headers, "x-amz-content-sha256": sha256, "x-amz-date": when}
    lowered = sorted((name.lower(), value.strip()) for name, value in signed.items())
    names = ";".join(name for name, _ in lowered)
    canonical = "\n".join(
        [
            method,
            encode_path(path),
            encode_query(query),
            *(f"{name}:{value}" for name, value in lowered),
            "",
            names,
            sha256,
        ]
    )
    scope = f"{when[:8]}/{key.region}/s3/aws4_request"
    text = f"{ALGORITHM}\n{when}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    secret = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    signature = hmac.digest(secret, text.encode(), "sha256").hex()
    credential = f"{key.access}/{scope}"
    return {
        **signed,
        "Authorization": f"{ALGORITHM} Credential={credential},SignedHeaders={names},Signature={signature}",
    }
