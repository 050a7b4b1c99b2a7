-- What gateway sessions need to go on after a restart.

-- What happened to messages after they were posted, and marks of changes that cannot be told again. A message that was
-- posted and left alone needs no entry: its row says it all. Written in the transaction of the change itself.
CREATE TABLE journal (
    position INTEGER NOT NULL,     -- a snowflake taken inside the transaction; of a posted message its id
    stream INTEGER NOT NULL,       -- whose sessions it concerns: a guild, a direct channel, or a user
    name TEXT NOT NULL,            -- an event; "" marks a change that nobody may resume across
    message TEXT NOT NULL,         -- the message's row as JSON; empty for a mark
    PRIMARY KEY (stream, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX journal_by_position ON journal (position);

-- Where each session stood: event number `seq` was the one at `position`, and everything before it was counted.
CREATE TABLE gateway_sessions (
    id TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    intents INTEGER NOT NULL,
    shard_id INTEGER NOT NULL,
    shard_count INTEGER NOT NULL,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    position INTEGER NOT NULL,
    base_position INTEGER NOT NULL, -- nothing up to here is told again
    clean INTEGER NOT NULL,         -- written by a server that stopped in order
    seen_ms INTEGER NOT NULL,       -- when it last had a connection
    presence TEXT NOT NULL          -- JSON
) STRICT, WITHOUT ROWID;
