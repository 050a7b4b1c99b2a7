"""Welcome screens of guilds."""

from chatd.model.objects.welcome_screen import WelcomeScreen
from chatd.model.wire import decoder
from chatd.store.db import Tx
from chatd.store.rows import to_text

_decode = decoder(WelcomeScreen).decode


def get(tx: Tx, guild_id: int) -> WelcomeScreen | None:
    """None when the guild never had one."""
    extra = tx.scalar("SELECT extra FROM welcome_screens WHERE guild_id = ?", guild_id)
    return None if extra is None else _decode(extra)


def put(tx: Tx, guild_id: int, screen: WelcomeScreen) -> None:
    tx.run(
        "INSERT INTO welcome_screens (guild_id, extra) VALUES (?, ?)"
        " ON CONFLICT (guild_id) DO UPDATE SET extra = excluded.extra",
        guild_id,
        to_text(screen),
    )
