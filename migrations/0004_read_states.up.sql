-- How far people have read, and whom messages call.

CREATE TABLE read_states (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    channel_id INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    last_message_id INTEGER NOT NULL, -- the newest that was read; it may be gone
    version INTEGER NOT NULL,         -- grows with every change of the row
    PRIMARY KEY (user_id, channel_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX read_states_by_channel ON read_states (channel_id);

-- A row for everyone whom a message mentions as it is posted; most messages have none.
CREATE TABLE mentions (
    target_id INTEGER NOT NULL,       -- a user, a role, or the guild for @everyone and @here
    channel_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    author_id INTEGER NOT NULL,
    PRIMARY KEY (target_id, channel_id, message_id) -- counts what is unread in a channel
) STRICT, WITHOUT ROWID;
CREATE INDEX mentions_by_target ON mentions (target_id, message_id); -- the newest over all channels
CREATE INDEX mentions_by_message ON mentions (message_id);

-- Friends, requests and blocks: a row for each side that has something to show.
CREATE TABLE relationships (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    other_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    type INTEGER NOT NULL,            -- 1 friend, 2 blocked, 3 asked by the other, 4 asked the other
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (user_id, other_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX relationships_by_other ON relationships (other_id);
