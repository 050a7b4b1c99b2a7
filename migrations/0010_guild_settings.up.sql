-- What belongs to a guild beside its structure.

CREATE TABLE vanity_urls (
    code TEXT PRIMARY KEY,        -- in lower case
    guild_id INTEGER NOT NULL UNIQUE REFERENCES guilds (id) ON DELETE CASCADE,
    uses INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE welcome_screens (
    guild_id INTEGER PRIMARY KEY REFERENCES guilds (id) ON DELETE CASCADE,
    extra TEXT NOT NULL
) STRICT;

-- A guild has one at most.
CREATE TABLE guild_templates (
    code TEXT PRIMARY KEY,
    guild_id INTEGER NOT NULL UNIQUE REFERENCES guilds (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT,
    usage_count INTEGER NOT NULL,
    creator_id INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,  -- when the guild was last copied
    guild TEXT NOT NULL           -- JSON: the copy
) STRICT, WITHOUT ROWID;
