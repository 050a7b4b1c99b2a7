-- Between messages and channels there is half a foreign key: a message needs its channel to be posted, but a channel
-- may have millions, which would all be deleted with it in one transaction. They go some time after it, a few at a time
-- (service/discarded).

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
