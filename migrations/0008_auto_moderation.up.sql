CREATE TABLE auto_moderation_rules (
    id INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL REFERENCES guilds (id) ON DELETE CASCADE,
    extra TEXT NOT NULL
) STRICT;
CREATE INDEX auto_moderation_rules_by_guild ON auto_moderation_rules (guild_id);
