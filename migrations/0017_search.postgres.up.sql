-- What search finds messages by; the file for SQLite says what the columns are.

CREATE TABLE search_state (
    revision BIGINT NOT NULL,
    position BIGINT NOT NULL
);
INSERT INTO search_state (revision, position) VALUES (0, 0);

CREATE TABLE search_messages (
    id BIGINT PRIMARY KEY,
    guild_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    view_id BIGINT NOT NULL,
    author_id BIGINT NOT NULL,
    author_type BIGINT NOT NULL,
    text TEXT NOT NULL,
    terms BYTEA NOT NULL
);
CREATE INDEX search_messages_by_guild ON search_messages (guild_id, id);
CREATE INDEX search_messages_by_channel ON search_messages (channel_id, id);
CREATE INDEX search_messages_by_author ON search_messages (author_id, id);

CREATE TABLE search_terms (
    term BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    PRIMARY KEY (term, message_id)
);

-- Words are looked up by how they begin, whatever the database's locale.
CREATE TABLE search_words (
    ending TEXT COLLATE "C" NOT NULL,
    word TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (ending, word)
);

CREATE TABLE search_stale (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id BIGINT NOT NULL
);
CREATE INDEX search_stale_by_message ON search_stale (message_id);

CREATE FUNCTION search_note_stale() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT revision FROM search_state) <> 0 THEN
        INSERT INTO search_stale (message_id) VALUES (OLD.id);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER search_message_edited AFTER UPDATE OF content, extra, pinned_ms ON messages
FOR EACH ROW EXECUTE FUNCTION search_note_stale();

CREATE TRIGGER search_message_deleted AFTER DELETE ON messages
FOR EACH ROW EXECUTE FUNCTION search_note_stale();
