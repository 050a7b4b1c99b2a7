-- How long messages are kept. A row holds for a channel and what is in it, threads or a category's channels, but for
-- those with rows of their own; that of scope 0 holds for all others.
CREATE TABLE retention (
    scope INTEGER PRIMARY KEY,                                      -- the channel, or 0
    channel_id INTEGER REFERENCES channels (id) ON DELETE CASCADE,  -- the channel, or null
    messages_s INTEGER,                                             -- null: for ever
    keep_pinned INTEGER NOT NULL
) STRICT;
CREATE INDEX retention_by_channel ON retention (channel_id);

-- Who has joined by an invite that grants temporary membership.
CREATE TABLE temporary_members (
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    PRIMARY KEY (guild_id, user_id),
    FOREIGN KEY (guild_id, user_id) REFERENCES members (guild_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX temporary_members_by_user ON temporary_members (user_id);
