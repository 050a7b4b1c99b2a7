from pathlib import Path

import msgspec
import pytest

from chatd.config import Config, ConfigError, load, render_default, show

DEFAULT_FILE = Path(__file__).parents[2] / "config" / "chatd.toml"


def test_default_file_is_what_the_code_renders() -> None:
    assert DEFAULT_FILE.read_text() == render_default()


def test_default_file_changes_nothing() -> None:
    assert load(DEFAULT_FILE, {}, {}) == Config()


def test_flags_go_before_environment_before_file(tmp_path: Path) -> None:
    file = tmp_path / "chatd.toml"
    file.write_text('[server]\nhost = "file"\nport = 1\nhttp = "hypercorn"\n')
    environ = {"CHATD__SERVER__HOST": "environment", "CHATD__SERVER__PORT": "2", "HOME": "/"}

    server = load(file, environ, {"server.host": "flag", "server.port": None}).server

    assert (server.host, server.port, server.http) == ("flag", 2, "hypercorn")


def test_text_from_the_environment_becomes_the_options_type() -> None:
    environ = {
        "CHATD__LIMITS__RATE_LIMITS": "false",
        "CHATD__SERVER__DRAIN_S": "0.5",
        "CHATD__SERVER__TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8",
    }
    config = load(None, environ, {})
    assert config.limits.rate_limits is False
    assert config.server.drain_s == 0.5
    assert config.server.trusted_proxies == ("127.0.0.1", "10.0.0.0/8")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[gateway]\nheartbeat_interval_ms = 'x'", "gateway.heartbeat_interval_ms: expected int, got str"),
        ("[server]\nprt = 1", "server.prt: unknown key"),
        ("[serve]\nport = 1", "serve: unknown key"),
        ("server = 1", "server: expected table, got int"),
        ("[server]\nport = 70000", "server.port: expected int <= 65535"),
        ("[server]\nhttp = 'fast'", "server.http: invalid enum value 'fast', expected one of edge, hypercorn"),
        ("[server]\ntrusted_proxies = ['::1', 5]", "server.trusted_proxies[1]: expected str, got int"),
        ("[server]\ntrusted_proxies = ['::1', 'x']", "server.trusted_proxies[1]: 'x' does not appear to be"),
        ("[server]\nunlimited_addresses = ['10.0.0.1/8']", "server.unlimited_addresses[0]: 10.0.0.1/8 has host bits"),
        ("[server]\ntls_cert = 'cert.pem'", "server.tls_key: tls_cert and tls_key need each other"),
        ("[server]\ntls_key = 'key.pem'", "server.tls_cert: tls_cert and tls_key need each other"),
        ("[media]\ns3_endpoint = 'http://s3'", "media.s3_bucket: s3_endpoint needs it"),
        ("[media]\ns3_endpoint = 's3.test'", "media.s3_endpoint: expected str matching regex"),
        ("[database]\nurl = 'mysql://root:secret@db/x'", "database.url: expected str matching regex"),
    ],
)
def test_wrong_file_is_refused_with_the_path_of_the_key(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "chatd.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load(file, {}, {})
    assert str(refused.value).startswith(f"config error: {complaint}")
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("content", [None, b"[server", b"\xff"])
def test_unreadable_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "chatd.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"^config error: .*chatd\.toml: "):
        load(file, {}, {})


@pytest.mark.parametrize(
    ("variable", "text", "complaint"),
    [
        ("CHATD__SERVER__PORT", "x", "server.port: expected int, got str (CHATD__SERVER__PORT)"),
        ("CHATD__SERVER__PRT", "1", "server.prt: unknown key (CHATD__SERVER__PRT)"),
        ("CHATD__SERVER", "1", "server: unknown key (CHATD__SERVER)"),
    ],
)
def test_wrong_variable_is_refused_by_path_and_name(variable: str, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(None, {variable: text}, {})
    assert str(refused.value) == f"config error: {complaint}"


def test_wrong_flag_is_refused_with_the_path_of_the_key() -> None:
    with pytest.raises(ConfigError, match=r"^config error: server\.port: expected int >= 0$"):
        load(None, {}, {"server.port": -1})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgres://chatd:se@cret@db/chatd", "postgres://chatd:***@db/chatd"),
        ("postgres://db/chatd?user=chatd&password=secret&sslmode=require", "password=***&sslmode=require"),
        ("postgres://chatd@db/chatd", "postgres://chatd@db/chatd"),
    ],
)
def test_show_masks_passwords(url: str, shown: str) -> None:
    options = {"database.url": url, "redis.url": "redis://:secret@cache", "media.s3_secret_key": "secret"}
    text = show(load(None, {}, options)).replace("s3_secret_key", "key")
    assert shown in text
    assert "redis://:***@cache" in text
    assert 'key = "***"' in text
    assert "cret" not in text


def test_show_without_secrets_can_be_loaded_again(tmp_path: Path) -> None:
    config = load(None, {}, {"server.port": 0, "data.dir": 'quote " and \\ and é', "log.level": "debug"})
    file = tmp_path / "chatd.toml"
    file.write_text(show(config))
    assert load(file, {}, {}) == config


def test_every_option_has_a_sentence() -> None:
    for section in msgspec.structs.fields(Config):
        for field in msgspec.structs.fields(section.type):
            assert field.type.__metadata__[0].description.endswith("."), f"{section.name}.{field.name}"
