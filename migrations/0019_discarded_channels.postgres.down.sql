DROP TRIGGER message_needs_channel ON messages;
DROP FUNCTION look_for_channel;
DROP TRIGGER channel_discarded ON channels;
DROP FUNCTION note_discarded_channel;
DELETE FROM messages WHERE channel_id IN (SELECT id FROM discarded_channels);
DROP TABLE discarded_channels;
ALTER TABLE messages ADD CONSTRAINT messages_channel_id_fkey
    FOREIGN KEY (channel_id) REFERENCES channels (id) ON DELETE CASCADE;
