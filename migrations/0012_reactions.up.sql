-- Reactions, pins, and events that are kept whole.

CREATE TABLE reactions (
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    emoji TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id),
    burst INTEGER NOT NULL,
    position INTEGER NOT NULL,    -- a snowflake taken inside the transaction: the oldest of an emoji says where it stands
    PRIMARY KEY (message_id, emoji, user_id)
) STRICT, WITHOUT ROWID;

-- When it was pinned. No two messages of a channel were at the same time, so that pages by time skip none.
ALTER TABLE messages ADD COLUMN pinned_ms INTEGER;
CREATE INDEX messages_pinned ON messages (channel_id, pinned_ms) WHERE pinned_ms IS NOT NULL;

-- The row of a message, or an event that no row tells of (reactions, bulk deletions); empty for a mark.
ALTER TABLE journal RENAME COLUMN message TO body;
