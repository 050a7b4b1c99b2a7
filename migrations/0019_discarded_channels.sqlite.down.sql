DROP TRIGGER message_needs_channel;
DROP TRIGGER channel_discarded;
DELETE FROM messages WHERE channel_id IN (SELECT id FROM discarded_channels);
DROP TABLE discarded_channels;
