-- How long messages are kept. The row of scope 0 holds for all channels without one of their own; threads have their
-- channel's.
CREATE TABLE retention (
    scope INTEGER PRIMARY KEY,                                      -- the channel, or 0
    channel_id INTEGER REFERENCES channels (id) ON DELETE CASCADE,  -- the channel, or null
    messages_s INTEGER,                                             -- null: for ever
    keep_pinned INTEGER NOT NULL
) STRICT;
CREATE INDEX retention_by_channel ON retention (channel_id);
