"""AutoMod's rules."""

from msgspec.structs import asdict

from chatd.model.objects.auto_moderation import AutoModerationRule, RuleExtra
from chatd.model.wire import Snowflake, decoder
from chatd.store.db import Row, Tx, cols, marks
from chatd.store.rows import narrow, to_text


class RuleRow(Row):
    id: int
    guild_id: int
    extra: str


_extra = decoder(RuleExtra)


def insert(tx: Tx, rule: AutoModerationRule) -> None:
    tx.run(
        f"INSERT INTO auto_moderation_rules ({cols(RuleRow)}) VALUES ({marks(RuleRow)})",
        rule.id,
        rule.guild_id,
        to_text(narrow(rule, RuleExtra)),
    )


def update(tx: Tx, rule: AutoModerationRule) -> None:
    tx.run("UPDATE auto_moderation_rules SET extra = ? WHERE id = ?", to_text(narrow(rule, RuleExtra)), rule.id)


def delete(tx: Tx, rule_id: int) -> None:
    tx.run("DELETE FROM auto_moderation_rules WHERE id = ?", rule_id)


def of_guild(tx: Tx, guild_id: int) -> dict[int, AutoModerationRule]:
    found = tx.rows(RuleRow, f"SELECT {cols(RuleRow)} FROM auto_moderation_rules WHERE guild_id = ?", guild_id)
    return {row.id: _rule_from(row) for row in found}


def _rule_from(row: RuleRow) -> AutoModerationRule:
    return AutoModerationRule(
        id=Snowflake(row.id), guild_id=Snowflake(row.guild_id), **asdict(_extra.decode(row.extra))
    )
