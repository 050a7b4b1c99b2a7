"""Every option of chatd: name, type, default and meaning, in one tree of Structs.

Owns reading options (defaults < TOML file < environment `CHATD__SECTION__KEY` < command-line flags), refusing wrong
ones, and printing them. Does not act on any option: the module that uses one does.
"""

import ipaddress
import json
import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import FieldInfo

ENVIRONMENT_PREFIX = "CHATD__"

# Options that are never shown.
SECRETS = frozenset({"s3_secret_key"})


def _doc(text: str, **constraints: Any) -> Meta:
    return Meta(description=text, **constraints)


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file. Its docstring and its fields' descriptions are the comments of the default file."""


class Server(Section, frozen=True):
    """Where chatd listens, and what one HTTP client may cost."""

    host: Annotated[str, _doc("Address to listen on.", min_length=1)] = "127.0.0.1"
    port: Annotated[int, _doc("Port for everything, REST and gateway. 0 picks a free one.", ge=0, le=65535)] = 8080
    http: Annotated[
        Literal["edge", "hypercorn"], _doc('"edge" is the fast HTTP/1.1 front end, "hypercorn" also speaks HTTP/2.')
    ] = "edge"
    tls_cert: Annotated[str, _doc("Certificate chain, a PEM file. Empty: no TLS.")] = ""
    tls_key: Annotated[str, _doc("Private key of the certificate, a PEM file.")] = ""
    public_url: Annotated[
        str,
        _doc(
            "URL under which clients reach the server. Empty: the address it listens on.", pattern=r"^(https?://.+)?$"
        ),
    ] = ""
    trusted_proxies: Annotated[
        tuple[str, ...], _doc("Addresses and networks of proxies whose X-Forwarded-For is believed.")
    ] = ()
    max_body_bytes: Annotated[int, _doc("Largest request body without files; beyond it 413.", ge=1024)] = 1_048_576
    max_image_body_bytes: Annotated[
        int, _doc("Largest request body where images come as base64 in JSON; beyond it 413.", ge=1024)
    ] = 6_291_456
    max_upload_bytes: Annotated[int, _doc("Largest multipart request body; beyond it 413.", ge=1024)] = 104_857_600
    header_deadline_s: Annotated[float, _doc("Time to send a request's headers; beyond it 408.", gt=0)] = 10.0
    body_deadline_s: Annotated[
        float, _doc("Time to send a request's body, besides a second for each KiB of it; beyond it 408.", gt=0)
    ] = 30.0
    idle_deadline_s: Annotated[float, _doc("Time an HTTP connection stays open between requests.", gt=0)] = 60.0
    connections_per_address: Annotated[
        int, _doc("Open connections of one client address, HTTP and gateway; beyond it a new one is closed.", ge=1)
    ] = 1000
    connects_per_address: Annotated[
        int, _doc("New connections of one client address in 5 s; beyond it a new one is closed.", ge=1)
    ] = 1000
    unlimited_addresses: Annotated[
        tuple[str, ...], _doc("Addresses and networks that these two are not for; nor are they for trusted_proxies.")
    ] = ("127.0.0.0/8", "::1")
    max_connections: Annotated[
        int,
        _doc(
            "Open connections in all; beyond it a new one is closed. 0, and at most: as many as the process may open "
            "files, but for a few that it needs itself.",
            ge=0,
        ),
    ] = 0
    drain_s: Annotated[float, _doc("Time that requests and sessions get to end on SIGTERM.", ge=0)] = 10.0


class Data(Section, frozen=True):
    """What chatd keeps on disk."""

    dir: Annotated[str, _doc("Directory of the SQLite file, the secrets and the uploads.", min_length=1)] = (
        "./chatd-data"
    )


class Database(Section, frozen=True):
    """Where messages and everything else durable are."""

    url: Annotated[
        str,
        _doc(
            "postgres://USER:PASSWORD@HOST/NAME, or sqlite://PATH. Empty: SQLite in the data directory.",
            pattern=r"^((postgres|postgresql)://.+|sqlite://.+)?$",
        ),
    ] = ""
    readers: Annotated[int, _doc("Threads that read, each with a connection.", ge=1, le=64)] = 3
    queue: Annotated[int, _doc("Writes that may wait; beyond it 503.", ge=1)] = 1024


class Media(Section, frozen=True):
    """Where images and files that users upload are: in a directory, or in a bucket that speaks S3's protocol."""

    path: Annotated[str, _doc('Directory of uploads. Empty: "media" in the data directory.')] = ""
    s3_endpoint: Annotated[
        str, _doc("URL of an S3-compatible service. Empty: the directory is used.", pattern=r"^(https?://[^/]+/?)?$")
    ] = ""
    s3_bucket: Annotated[str, _doc("Bucket, which has to exist.", pattern=r"^[a-z0-9.-]*$")] = ""
    s3_region: Annotated[str, _doc("Region that requests are signed for.", min_length=1)] = "us-east-1"
    s3_access_key: Annotated[str, _doc("Access key that may read, write, delete and list the bucket.")] = ""
    s3_secret_key: Annotated[str, _doc("Secret of the access key.")] = ""
    max_file_bytes: Annotated[
        int, _doc("Largest file of a message; beyond it 413. server.max_upload_bytes is for all of a request.", ge=1024)
    ] = 26_214_400
    cache_bytes: Annotated[
        int, _doc("Resized and converted images that are kept in the data directory; the oldest make room.", ge=1 << 26)
    ] = 268_435_456
    orphan_age_s: Annotated[float, _doc("Age at which a file that nothing names any more is deleted.", ge=3600)] = (
        86_400.0
    )


class Redis(Section, frozen=True):
    """Links several chatd nodes into one server."""

    url: Annotated[
        str, _doc("redis://:PASSWORD@HOST:PORT/DB. Empty: one node, no Redis.", pattern=r"^(rediss?://.+)?$")
    ] = ""


class Accounts(Section, frozen=True):
    """People: registration, passwords, logins."""

    registration: Annotated[
        Literal["open", "closed"], _doc('"open": anybody registers; "closed": only `chatd user create` makes accounts.')
    ] = "open"
    argon2_memory_kib: Annotated[
        int, _doc("Memory of one argon2id hash. OWASP's setting; old hashes are renewed at login.", ge=8)
    ] = 19456
    argon2_time: Annotated[int, _doc("Passes of one argon2id hash.", ge=1)] = 2
    argon2_parallelism: Annotated[int, _doc("Lanes of one argon2id hash.", ge=1)] = 1
    password_queue: Annotated[int, _doc("Logins that may wait for the one hashing worker; beyond it 429.", ge=1)] = 32
    access_token_s: Annotated[int, _doc("Life of an access token.", ge=1)] = 900
    refresh_token_s: Annotated[int, _doc("Life of a refresh token, unless it is used and so replaced.", ge=1)] = 604_800


class Unfurl(Section, frozen=True):
    """Links in messages, fetched from the public Internet and shown as embeds; see docs/security.md."""

    enabled: Annotated[
        bool,
        _doc("true has the server fetch what users link to, at public addresses only. false: links stay plain."),
    ] = False
    workers: Annotated[int, _doc("Messages whose links are fetched at a time.", ge=1, le=64)] = 4
    queue: Annotated[int, _doc("Messages that may wait for that; beyond it their links stay plain.", ge=1)] = 256
    deadline_s: Annotated[float, _doc("Time for one link, redirects and all.", gt=0)] = 5.0
    max_bytes: Annotated[int, _doc("Bytes that are read of a page or an image, from its beginning.", ge=4096)] = 262_144


class Gateway(Section, frozen=True):
    """Realtime sessions."""

    heartbeat_interval_ms: Annotated[
        int, _doc("Time between heartbeats. discord.py drops a connection that is silent for 60 s.", ge=1, le=50_000)
    ] = 41_250
    identify_deadline_s: Annotated[float, _doc("Time from connecting to IDENTIFY or RESUME.", gt=0)] = 10.0
    resume_window_s: Annotated[float, _doc("Time a session waits for RESUME after its connection broke.", ge=0)] = 300.0
    checkpoint_s: Annotated[
        float,
        _doc(
            "Time between two notes of where sessions stand, from which they go on after a crash; three times as long"
            " while little happens.",
            gt=0,
        ),
    ] = 5.0
    journal_entries: Annotated[
        int,
        _doc(
            "Edits, deletions and other changes kept for sessions that come back after a restart; beyond it the oldest"
            " are forgotten, and who needs them identifies anew.",
            ge=1,
        ),
    ] = 100_000
    ring_events: Annotated[int, _doc("Events a session keeps for RESUME; older ones cannot be resumed.", ge=1)] = 1024
    ring_bytes: Annotated[
        int, _doc("Bytes that guilds and members sent to one session may take of what it keeps for RESUME.", ge=4096)
    ] = 4_194_304
    send_buffer_bytes: Annotated[
        int, _doc("Bytes that may wait for one slow client; beyond it the connection is cut.", ge=4096)
    ] = 1_048_576
    write_deadline_s: Annotated[
        float, _doc("Time a client that reads nothing keeps its connection while bytes wait.", gt=0)
    ] = 30.0
    max_concurrency: Annotated[int, _doc("IDENTIFYs of one bot in 5 s.", ge=1)] = 16
    session_starts_per_day: Annotated[int, _doc("IDENTIFYs of one bot in 24 h.", ge=1)] = 1000
    identify_concurrency: Annotated[int, _doc("IDENTIFYs that are worked on at a time, and guilds sent.", ge=1)] = 64
    identify_queue: Annotated[
        int, _doc("IDENTIFYs that wait for that; beyond it, or after half of identify_deadline_s, op 9.", ge=0)
    ] = 8192


class Search(Section, frozen=True):
    """Searching messages."""

    enabled: Annotated[
        bool,
        _doc("false deletes the index and refuses searches. Turned on again, it is built anew while the server runs."),
    ] = True


class Limits(Section, frozen=True):
    """Rate limits."""

    rate_limits: Annotated[bool, _doc("false lifts all of them, those on IDENTIFY included: for load tests.")] = True
    global_per_s: Annotated[int, _doc("Requests of one user or bot in a second; beyond it 429.", ge=1)] = 50
    invalid_per_10_min: Annotated[
        int, _doc("Answers 401, 403 and 429 to one address in 10 min; beyond it only 429.", ge=1)
    ] = 10_000


class Log(Section, frozen=True):
    """What goes to stderr."""

    format: Annotated[Literal["text", "json"], _doc('"text" for people, "json" for collectors.')] = "text"
    level: Annotated[Literal["debug", "info", "warning", "error"], _doc("Least level that is written.")] = "info"


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    server: Server = Server()
    data: Data = Data()
    database: Database = Database()
    media: Media = Media()
    redis: Redis = Redis()
    accounts: Accounts = Accounts()
    unfurl: Unfurl = Unfurl()
    gateway: Gateway = Gateway()
    search: Search = Search()
    limits: Limits = Limits()
    log: Log = Log()


_FIELDS: dict[str, FieldInfo] = {
    f"{section.name}.{field.name}": field
    for section in msgspec.structs.fields(Config)
    for field in msgspec.structs.fields(section.type)
}


class ConfigError(Exception):
    """A configuration that cannot be used, said in one line with the path of the offending key."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"config error: {where}: {problem}")


def load(file: Path | None, environ: Mapping[str, str], flags: Mapping[str, Any]) -> Config:
    """Options from all layers. `flags` maps paths ("server.port") to values; None means that the flag was not given."""
    config = Config() if file is None else _read(file)
    for variable, text in environ.items():
        if variable.startswith(ENVIRONMENT_PREFIX):
            path = variable.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
            config = _replace(config, path, text, f" ({variable})")
    for path, value in flags.items():
        if value is not None:
            config = _replace(config, path, value, "")
    _check(config)
    return config


def render_default() -> str:
    """The default file: every option with its meaning, at its default."""
    blocks = [_comment("Every option at its default. The environment (CHATD__SERVER__PORT) and flags overrule a file.")]
    for name, section in _sections(Config()):
        lines = [_comment(type(section).__doc__ or ""), f"[{name}]"]
        for field in msgspec.structs.fields(section):
            meta: Meta = get_args(field.type)[1]
            lines += ["", _comment(meta.description or ""), f"{field.name} = {_toml(field.default)}"]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def describe(path: str) -> str:
    """What the option means, and its default unless that is empty."""
    field = _FIELDS[path]
    meta: Meta = get_args(field.type)[1]
    return f"{meta.description} (default: {field.default})" if field.default else str(meta.description)


def show(config: Config) -> str:
    """The options as TOML, without secrets and the passwords in URLs."""
    blocks = []
    for name, section in _sections(config):
        options = msgspec.structs.asdict(section)
        lines = (
            f"{key} = {_toml('***' if key in SECRETS and value else _mask(value))}" for key, value in options.items()
        )
        blocks.append("\n".join([f"[{name}]", *lines]))
    return "\n\n".join(blocks) + "\n"


def _read(file: Path) -> Config:
    try:
        tree = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(str(file), error.strerror or "cannot be read") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise ConfigError(str(file), str(error)) from error
    try:
        return msgspec.convert(tree, Config)
    except msgspec.ValidationError as error:
        raise _refusal(error) from error


def _replace(config: Config, path: str, value: Any, origin: str) -> Config:
    """The configuration with one option changed; text becomes the option's type, a list from commas."""
    field = _FIELDS.get(path)
    if field is None:
        raise ConfigError(path, f"unknown key{origin}")
    if isinstance(field.default, tuple) and isinstance(value, str):
        value = [item.strip() for item in value.split(",") if item.strip()]
    try:
        typed = msgspec.convert(value, field.type, strict=False)
    except msgspec.ValidationError as error:
        raise _refusal(error, path, origin) from error
    section, _, name = path.partition(".")
    changed = msgspec.structs.replace(getattr(config, section), **{name: typed})
    return msgspec.structs.replace(config, **{section: changed})


def _refusal(error: msgspec.ValidationError, path: str = "", origin: str = "") -> ConfigError:
    """msgspec's "Expected `int`, got `str` - at `$.server.port`" as "server.port: expected int, got str"."""
    problem, _, where = str(error).partition(" - at `$")
    path = (path + where.rstrip("`")).lstrip(".")
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", problem)
    if unknown:
        return ConfigError(f"{path}.{unknown[1]}".lstrip("."), f"unknown key{origin}")
    if problem.startswith("Invalid enum value"):
        choices = get_args(get_args(_FIELDS[path].type)[0])
        problem += f", expected one of {', '.join(choices)}"
    problem = problem.replace("`object`", "table").replace("`", "")
    return ConfigError(path, problem[0].lower() + problem[1:] + origin)


def _check(config: Config) -> None:
    """What no single option shows."""
    server = config.server
    if bool(server.tls_cert) != bool(server.tls_key):
        missing = "tls_key" if server.tls_cert else "tls_cert"
        raise ConfigError(f"server.{missing}", "tls_cert and tls_key need each other")
    for name in ("trusted_proxies", "unlimited_addresses"):
        for index, network in enumerate(getattr(server, name)):
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise ConfigError(f"server.{name}[{index}]", str(error)) from error
    if config.media.s3_endpoint:
        for key in ("s3_bucket", "s3_access_key", "s3_secret_key"):
            if not getattr(config.media, key):
                raise ConfigError(f"media.{key}", "s3_endpoint needs it")


def _sections(config: Config) -> Iterator[tuple[str, Section]]:
    return ((entry.name, getattr(config, entry.name)) for entry in msgspec.structs.fields(Config))


def _comment(text: str) -> str:
    return textwrap.fill(text, 110, initial_indent="# ", subsequent_indent="# ")


def _toml(value: Any) -> str:
    # TOML's booleans, numbers, basic strings and arrays are written as JSON's.
    return json.dumps(value, ensure_ascii=False)


def _mask(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # Up to the last @, because a password may hold one; libpq takes it as a parameter too.
    value = re.sub(r"(://[^:/@]*:).*@", r"\1***@", value)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", value)
