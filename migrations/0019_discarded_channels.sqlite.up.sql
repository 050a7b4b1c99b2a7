-- Between messages and channels there is half a foreign key: a message needs its channel to be posted, but a channel
-- may have millions, which would all be deleted with it in one transaction. They go some time after it, a few at a time
-- (service/discarded).

-- SQLite drops no constraint; but one that is not in the table's text any more is gone, and no row is touched
-- (https://sqlite.org/lang_altertable.html, section 7). What is created below tells other connections of it.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql, 'channel_id INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE', 'channel_id INTEGER NOT NULL')
WHERE type = 'table' AND name = 'messages';
PRAGMA writable_schema = RESET;

-- Deleted, while there may still be messages of theirs.
CREATE TABLE discarded_channels (
    id INTEGER PRIMARY KEY
) STRICT;

CREATE TRIGGER channel_discarded AFTER DELETE ON channels
BEGIN
    INSERT INTO discarded_channels (id) VALUES (OLD.id);
END;

CREATE TRIGGER message_needs_channel BEFORE INSERT ON messages
WHEN NOT EXISTS (SELECT 1 FROM channels WHERE id = NEW.channel_id)
BEGIN
    SELECT RAISE(ABORT, 'messages.channel_id');
END;
