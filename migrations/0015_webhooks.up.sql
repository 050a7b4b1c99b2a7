-- Name and avatar of a webhook are those of its row in `users`, with the discriminator 0000 and nobody's account. That
-- row stays when the webhook is deleted: it is the author of what was posted.
CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY REFERENCES users (id),
    type INTEGER NOT NULL,        -- 1 incoming, 2 channel follower
    guild_id INTEGER NOT NULL REFERENCES guilds (id) ON DELETE CASCADE,
    channel_id INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    creator_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    application_id INTEGER REFERENCES applications (id) ON DELETE SET NULL,
    token TEXT,                   -- of incoming ones: shown to who manages them, so no hash would do
    source_id INTEGER REFERENCES channels (id) ON DELETE SET NULL -- of followers: the channel that is followed
) STRICT;
CREATE INDEX webhooks_by_guild ON webhooks (guild_id);
CREATE INDEX webhooks_by_channel ON webhooks (channel_id);
CREATE INDEX webhooks_by_source ON webhooks (source_id);

-- Published messages that a follower has not got yet.
CREATE TABLE crosspost_deliveries (
    source_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    webhook_id INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    PRIMARY KEY (source_id, webhook_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX crosspost_deliveries_by_webhook ON crosspost_deliveries (webhook_id);

-- What followers have got. A copy that has lost its source, or whose source has changed, waits to be changed as well.
CREATE TABLE crossposts (
    copy_id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    source_id INTEGER REFERENCES messages (id) ON DELETE SET NULL,
    stale INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX crossposts_by_source ON crossposts (source_id);
CREATE INDEX crossposts_waiting ON crossposts (copy_id) WHERE source_id IS NULL OR stale = 1;
