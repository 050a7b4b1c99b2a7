-- Who did what in a guild's administration, written in the transaction of the change itself.
CREATE TABLE audit_log_entries (
    id INTEGER PRIMARY KEY,       -- taken inside the transaction: in the order of the commits
    guild_id INTEGER NOT NULL REFERENCES guilds (id) ON DELETE CASCADE,
    action_type INTEGER NOT NULL,
    user_id INTEGER,              -- who did it; entries outlive accounts
    target_id TEXT,
    extra TEXT NOT NULL
) STRICT;
CREATE INDEX audit_log_entries_by_guild ON audit_log_entries (guild_id, id);
