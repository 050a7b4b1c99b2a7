DROP TRIGGER message_needs_channel;
DROP TRIGGER channel_discarded;
DELETE FROM messages WHERE channel_id IN (SELECT id FROM discarded_channels);

PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql, 'channel_id INTEGER NOT NULL', 'channel_id INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE')
WHERE type = 'table' AND name = 'messages';
PRAGMA writable_schema = RESET;

-- Last, because it tells other connections that the schema is another.
DROP TABLE discarded_channels;
