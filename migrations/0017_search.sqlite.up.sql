-- What search finds messages by. Written beside the messages, some time after them, by service/search_index.

CREATE TABLE search_state (
    revision INTEGER NOT NULL,    -- of what is indexed; 0: nothing is, and no change is noted
    position INTEGER NOT NULL     -- the newest message that has been indexed
) STRICT;
INSERT INTO search_state (revision, position) VALUES (0, 0);

CREATE TABLE search_messages (
    id INTEGER PRIMARY KEY,       -- the message's
    guild_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    view_id INTEGER NOT NULL,     -- the channel whose viewers see it: of a public thread its parent
    author_id INTEGER NOT NULL,
    author_type INTEGER NOT NULL, -- 0 user, 1 bot, 2 webhook
    text TEXT NOT NULL,           -- the content, folded: words are compared with it as they are
    terms BLOB NOT NULL           -- its rows in search_terms but those of words, 8 bytes each
) STRICT;
CREATE INDEX search_messages_by_guild ON search_messages (guild_id, id);
CREATE INDEX search_messages_by_channel ON search_messages (channel_id, id);
CREATE INDEX search_messages_by_author ON search_messages (author_id, id);

-- What a message has: a digest of guild, kind and value. Its words are of a kind as well.
CREATE TABLE search_terms (
    term INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    PRIMARY KEY (term, message_id)
) STRICT, WITHOUT ROWID;

-- Each word that a message has or had, by all its endings; the same for all guilds.
CREATE TABLE search_words (
    ending TEXT NOT NULL,
    word TEXT NOT NULL,
    PRIMARY KEY (ending, word)
) STRICT, WITHOUT ROWID;

-- Changed or deleted since they were indexed; not found until they have been indexed again.
CREATE TABLE search_stale (
    id INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL
) STRICT;
CREATE INDEX search_stale_by_message ON search_stale (message_id);

CREATE TRIGGER search_message_edited AFTER UPDATE OF content, extra, pinned_ms ON messages
WHEN (SELECT revision FROM search_state) <> 0
BEGIN
    INSERT INTO search_stale (message_id) VALUES (OLD.id);
END;

CREATE TRIGGER search_message_deleted AFTER DELETE ON messages
WHEN (SELECT revision FROM search_state) <> 0
BEGIN
    INSERT INTO search_stale (message_id) VALUES (OLD.id);
END;
